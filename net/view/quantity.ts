/** Numbers as the view shows them: three digits and a prefix, always as wide, so that columns stand still. */

export interface Units {
  /** `bit/s` */
  readonly rate: string
  /** Of what `rate` counts, in an octet. */
  readonly perOctet: 1 | 8
  /** 1000: k, M, G (SI); 1024: Ki, Mi, Gi (IEC 80000-13). */
  readonly base: 1000 | 1024
}

/** What `u` goes through. */
export const UNITS: readonly [Units, ...Units[]] = [
  { rate: 'bit/s', perOctet: 8, base: 1000 },
  { rate: 'byte/s', perOctet: 1, base: 1000 },
  { rate: 'bit/s', perOctet: 8, base: 1024 },
  { rate: 'byte/s', perOctet: 1, base: 1024 },
]

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const unitsName = ({ rate, base }: Units): string => `${rate}, prefixes of ${base}`

/** `12.3 M`, `1.00 Gi`, `518  `: the prefix has its place also when there is none. */
export function scaled(value: number, base: 1000 | 1024): string {
  let power = 0
  let rest = Math.max(0, value)
  // What would be rounded to the base is one of the next prefix.
  while (rest >= base - 0.5 && power < PREFIXES.length - 1) {
    rest /= base
    power++
  }
  const prefix = PREFIXES[power] ?? ''
  const full = base === 1000 || prefix === '' ? prefix : `${prefix === 'k' ? 'K' : prefix}i`
  return `${digits(rest, power > 0)} ${full.padEnd(base === 1000 ? 1 : 2)}`
}

/** Three significant digits of a scaled number; without a prefix a whole one, or one place below ten. */
function digits(value: number, isScaled: boolean): string {
  if (isScaled && value < 9.995) return value.toFixed(2)
  if (isScaled && value < 99.95) return value.toFixed(1)
  return isScaled || value >= 9.95 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1)
}

/** A rate of octets a second in the units, without the unit's name. */
export const rate = (octetsPerSecond: number, units: Units): string =>
  scaled(octetsPerSecond * units.perOctet, units.base)

/** A whole number to the last digit as long as it fits, then scaled. */
export function count(value: number, width: number): string {
  const text = String(Math.max(0, Math.round(value)))
  return text.length <= width ? text : scaled(value, 1000).trimEnd()
}

/** `04:12:33`, `3d 04:12:33`; milliseconds in. */
export function duration(ms: number): string {
  const whole = Math.max(0, Math.floor(ms))
  const days = Math.floor(whole / DAY)
  const time = [(whole % DAY) / HOUR, (whole % HOUR) / MINUTE, (whole % MINUTE) / SECOND]
    .map((n) => two(Math.floor(n)))
    .join(':')
  return days === 0 ? time : `${days}d ${time}`
}

const two = (n: number): string => String(n).padStart(2, '0')

/** `2026-11-27` and `12:03:04`. */
export const localTime = (date: Date): { readonly day: string; readonly time: string } => ({
  day: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  time: `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
})

/** `12:03:04` in local time, with the date in front when it is of another day than `now`; milliseconds since 1970. */
export function clock(time: number, now: number): string {
  const { day, time: text } = localTime(new Date(time))
  return day === localTime(new Date(now)).day ? text : `${day} ${text}`
}

/** `0.42 ms`, `12.3 ms`, `1234 ms`. */
export const milliseconds = (ms: number): string => {
  if (ms < 10) return `${ms.toFixed(2)} ms`
  return `${ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`
}
