/** Quantities with units as operators write them; undefined is the answer to what is none. */

const MILLISECONDS = { s: 1000, ms: 1, us: 0.001 } as const
const MAX_MS = 60_000

/** The value, undefined when it is out of range or no number. */
export const within = (value: number, least: number, most: number): number | undefined =>
  value >= least && value <= most ? value : undefined

/** A number with up to six decimals and a unit, in the smallest unit; NaN for anything else. */
export function scaled(text: string, units: Readonly<Record<string, number>>): number {
  const [, digits = '', unit = '?'] = /^(\d{1,10}(?:\.\d{1,6})?)([a-z]*)$/.exec(text.toLowerCase()) ?? []
  return Object.hasOwn(units, unit) ? Number(digits) * (units[unit] ?? NaN) : NaN
}

/** In the largest unit that gives a whole number. */
export function inUnits(value: number, units: Readonly<Record<string, number>>): string {
  const [unit, factor] = Object.entries(units).find(([, size]) => value % size === 0) ?? ['', 1]
  return `${value / factor}${unit}`
}

/** `50ms`, `0.5s`, `200us`, in milliseconds, to the nanosecond. */
export function duration(text: string): number | undefined {
  return within(Math.round(scaled(text, MILLISECONDS) * 1e6) / 1e6, 0, MAX_MS)
}

/** `1%`, `0.01%` */
export function percent(text: string): number | undefined {
  return text.endsWith('%') ? within(scaled(text.slice(0, -1), { '': 1 }), 0, 100) : undefined
}
