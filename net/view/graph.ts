/** A graph of blocks, some rows high. Pure: values in, rows of characters out. */
import type { Glyphs } from '#net/view/glyphs.ts'

const STEPS = [1, 2, 5, 10]

/** The top of the scale: 1, 2 or 5 times a power of ten, so that it seldom moves. 0 when there is nothing to show. */
export function scaleTop(largest: number): number {
  if (!(largest > 0)) return 0
  const power = 10 ** Math.floor(Math.log10(largest))
  return (STEPS.find((step) => step * power >= largest) ?? 10) * power
}

/** `height` rows, the topmost first, one character for each value. What is above 0 shows, however small. */
export function drawGraph(values: readonly number[], top: number, height: number, glyphs: Glyphs): string[] {
  const full = glyphs.levels.length - 1
  const levels = values.map((value) => {
    if (!(value > 0) || !(top > 0)) return 0
    return Math.max(1, Math.round(Math.min(1, value / top) * height * full))
  })
  return Array.from({ length: height }, (_, row) => {
    const below = (height - 1 - row) * full
    return levels.map((level) => glyphs.levels[Math.min(full, Math.max(0, level - below))] ?? ' ').join('')
  })
}
