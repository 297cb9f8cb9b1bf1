/** The table of a benchmark, and under what circumstances it was made. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import { formatFigure } from '#test/bench/figures.ts'
import type { Column, Numbers } from '#test/bench/figures.ts'
import type { Results } from '#test/bench/rounds.ts'
import type { Verdict } from '#test/bench/rules.ts'

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
export const machine = (congestion: string): object => {
  const all = cpus()
  return {
    cores: all.length,
    cpu: all[0]?.model ?? 'unknown',
    load: loadavg()[0],
    congestion,
  }
}

function table<F extends Numbers<F>>(columns: readonly Column<F>[], results: Results<F>): string {
  const head = ['', ...columns.map(({ title }) => title)]
  const rows = Object.values(results).map(({ title, median }) => [
    title,
    ...columns.map(({ figure, digits }) => formatFigure(median[figure], digits)),
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

export interface Outcome<F> {
  name: string
  rounds: number
  notes: readonly string[]
  columns: readonly Column<F>[]
  results: Results<F>
  verdicts: readonly Verdict[]
}

export function print<F extends Numbers<F>>(outcome: Outcome<F>): void {
  const { name, rounds, notes, columns, results, verdicts } = outcome
  console.log(`\n${name}: medians of ${rounds} rounds\n${table(columns, results)}\n`)
  for (const note of notes) console.log(note)
  console.log(`versions: ${JSON.stringify(versions())}\n`)
  for (const { kind, text, passed } of verdicts)
    console.log(`${kind.padEnd(5)} ${WORDS[kind][passed ? 0 : 1]}: ${text}`)
}
