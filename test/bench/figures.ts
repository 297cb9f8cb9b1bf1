/** What a benchmark measures, and its medians over the rounds. `F` names the figures, each a number. */
export type Numbers<F> = Record<keyof F, number>

/** How a figure is told. */
export interface Column<F> {
  figure: keyof F
  title: string
  /** After the decimal point. */
  digits: number
}

/** NaN of nothing. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/** Of at least one round. */
export function mediansOf<F extends Numbers<F>>(
  columns: readonly Column<F>[],
  raw: readonly F[],
): Numbers<F> {
  const [first] = raw
  if (!first) throw new Error('nothing was measured')
  const medians: Numbers<F> = { ...first }
  for (const { figure } of columns) medians[figure] = median(raw.map((figures) => figures[figure]))
  return medians
}

/** As a table has it; `-` where a figure does not apply. */
export const formatFigure = (value: number, digits: number): string =>
  Number.isNaN(value) ? '-' : value.toFixed(digits)
