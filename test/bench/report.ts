/** The table of a benchmark, and under what circumstances it was made. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import type { Figures } from '#test/bench/measure.ts'
import type { Results } from '#test/bench/rounds.ts'
import { FIGURE_TITLES } from '#test/bench/rules.ts'
import type { Verdict } from '#test/bench/rules.ts'

const FIGURES: readonly (keyof Figures)[] = ['cubicGbps', 'bbrGbps', 'smallKpps', 'rttMs', 'cpuSecondsPerGb']

function firstLine(command: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return `${stdout}${stderr}`.split('\n').find((line) => line.trim() !== '') ?? 'unknown'
}

export function versions(): Record<string, string> {
  const own: { version: string } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
  )
  return {
    hybridge: own.version,
    vde_switch: firstLine('vde_switch', '--version'),
    vdeplug: firstLine('dpkg-query', '-W', '-f', '${Version}\n', 'vdeplug'),
    ssh: firstLine('ssh', '-V'),
    iperf3: firstLine('iperf3', '--version'),
    node: process.version,
    kernel: release(),
  }
}

/** The load is that of the moment, before anything is measured. */
export const machine = (): object => {
  const all = cpus()
  return { cores: all.length, cpu: all[0]?.model ?? 'unknown', load: loadavg()[0] }
}

const DIGITS: Record<keyof Figures, number> = {
  cubicGbps: 2,
  bbrGbps: 2,
  smallKpps: 0,
  rttMs: 3,
  cpuSecondsPerGb: 2,
}

function table(results: Results): string {
  const head = ['', ...FIGURES.map((name) => FIGURE_TITLES[name])]
  const rows = Object.values(results).map(({ title, median }) => [
    title,
    ...FIGURES.map((name) => median[name].toFixed(DIGITS[name])),
  ])
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0)))
  const line = (row: string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')
  return [line(head), widths.map((width) => '-'.repeat(width)).join('-|-'), ...rows.map(line)].join('\n')
}

const WORDS = {
  bar: ['pass', 'FAIL'],
  aim: ['reached', 'not reached'],
  floor: ['usual', 'TOO SLOW'],
} as const

export function print(
  name: string,
  rounds: number,
  notes: readonly string[],
  results: Results,
  verdicts: readonly Verdict[],
): void {
  console.log(`\n${name}: medians of ${rounds} rounds\n${table(results)}\n`)
  for (const note of notes) console.log(note)
  console.log(`versions: ${JSON.stringify(versions())}\n`)
  for (const { kind, text, passed } of verdicts)
    console.log(`${kind.padEnd(5)} ${WORDS[kind][passed ? 0 : 1]}: ${text}`)
}
