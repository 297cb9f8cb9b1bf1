/**
 * Impairments as operators write them: `delay=50ms,jitter=10ms,loss=1%,seed=7`, or with `+` between options, where a
 * comma would end the text.
 */
import { ConfigError } from '#net/base/errors.ts'
import { type Burst, type Impairment, PERFECT } from '#net/impairment/impairment.ts'
import { duration, inUnits, percent, scaled, within } from '#net/impairment/quantity.ts'

const MAX_RATE = 100e9
const MAX_LIMIT_OCTETS = 1 << 30
const MAX_SEED = 0xffff_ffff

interface Option<K extends keyof Impairment> {
  readonly key: K
  readonly allowed: string
  /** Undefined: not valid. */
  parse(text: string): Impairment[K] | undefined
  /** Undefined: as it is without the option. */
  format(value: Impairment[K]): string | undefined
}

const BITS = { gbit: 1e9, mbit: 1e6, kbit: 1e3, bit: 1 } as const
const OCTETS = { g: 1 << 30, m: 1 << 20, k: 1 << 10, '': 1 } as const

const option = <K extends keyof Impairment>(
  key: K,
  allowed: string,
  parse: Option<K>['parse'],
  format: Option<K>['format'],
): Option<K> => ({ key, allowed, parse, format })

const time = <K extends 'delayMs' | 'jitterMs'>(key: K): Option<K> =>
  option(key, 'a time like 50ms, 0.5s or 200us, 60s at most', duration, (ms) =>
    ms === 0 ? undefined : `${ms}ms`,
  )

const share = <K extends 'loss' | 'duplicate' | 'corrupt'>(key: K): Option<K> =>
  option(key, 'a share like 1% or 0.01%', percent, (value) => (value === 0 ? undefined : `${value}%`))

const whole = <K extends 'gap' | 'overhead' | 'seed'>(key: K, least: number, most: number): Option<K> =>
  option(
    key,
    `a number from ${least} to ${most}`,
    (text) => within(/^\d{1,10}$/.test(text) ? Number(text) : NaN, least, most),
    (value) => (value === PERFECT[key] ? undefined : String(value)),
  )

/** In the order in which they are shown. */
const OPTIONS = {
  delay: time('delayMs'),
  jitter: time('jitterMs'),
  distribution: option(
    'distribution',
    'uniform or normal',
    (text) => (text === 'uniform' || text === 'normal' ? text : undefined),
    (value) => (value === 'uniform' ? undefined : value),
  ),
  loss: share('loss'),
  burst: option('burst', 'TO_BAD/TO_GOOD[/LOSS_IN_BAD[/LOSS_IN_GOOD]] like 1%/25%', parseBurst, formatBurst),
  duplicate: share('duplicate'),
  corrupt: share('corrupt'),
  reorder: option(
    'reorder',
    'a share like 1%, or jitter',
    (text) => (text === 'jitter' ? text : percent(text)),
    (value) => (value === 0 ? undefined : value === 'jitter' ? value : `${value}%`),
  ),
  gap: whole('gap', 1, 1_000_000),
  rate: option(
    'rate',
    'bits a second like 10mbit, 64kbit or 2.5gbit, 1kbit to 100gbit',
    (text) => within(Math.round(scaled(text, BITS)), 1000, MAX_RATE),
    (value) => (value === 0 ? undefined : inUnits(value, BITS)),
  ),
  overhead: whole('overhead', 0, 256),
  limit: option(
    'limit',
    'a time like 100ms, 60s at most, or octets like 64k, 1g at most',
    parseLimit,
    (value) => (value === null ? undefined : 'ms' in value ? `${value.ms}ms` : inUnits(value.octets, OCTETS)),
  ),
  seed: whole('seed', 0, MAX_SEED),
} as const

/** An option is of no use without another one, which does something. */
const NEEDS = [
  ['distribution', 'jitter'],
  ['gap', 'reorder'],
  ['overhead', 'rate'],
  ['limit', 'rate'],
] as const

/** Reads the operator's text; null for `none`. @throws ConfigError that names the option, its value, what is allowed */
export function parseImpairment(text: string): Impairment | null {
  if (text === 'none') return null
  const found: Partial<Impairment> = {}
  const given = new Set<string>()
  for (const part of text.split(/[,+]/)) {
    const equals = part.indexOf('=')
    const name = part.slice(0, Math.max(equals, 0))
    if (!isOption(name)) {
      const known = Object.keys(OPTIONS).join(', ')
      throw new ConfigError(
        `"${part}" is no impairment: it takes none alone, or ${known}, as in delay=50ms,loss=1%`,
      )
    }
    if (given.has(name)) throw new ConfigError(`impairment ${name} is given twice`)
    given.add(name)
    Object.assign(found, parseOption(name, part.slice(equals + 1)))
  }
  const impairment = { ...PERFECT, ...found }
  for (const [name, needed] of NEEDS)
    if (given.has(name) && formatOption(OPTIONS[needed], impairment) === undefined)
      throw new ConfigError(`impairment ${name} is of no use without ${needed}`)
  if (impairment.burst !== null && impairment.loss > 0)
    throw new ConfigError('impairments loss and burst exclude each other: burst has its own losses')
  if (impairment.reorder === 'jitter' && impairment.jitterMs === 0)
    throw new ConfigError('impairment reorder=jitter is of no use without jitter')
  if (impairment.reorder !== 0 && impairment.reorder !== 'jitter' && impairment.delayMs === 0)
    throw new ConfigError('impairment reorder is of no use without delay, which some frames then skip')
  return impairment
}

/** The operator's text, complete: `parseImpairment` reads it back. */
export function formatImpairment(impairment: Impairment): string {
  const parts = Object.entries(OPTIONS).flatMap(([name, one]) => {
    const value = formatOption(one, impairment)
    return value === undefined ? [] : [`${name}=${value}`]
  })
  return parts.length === 0 ? 'delay=0ms' : parts.join(',')
}

const isOption = (name: string): name is keyof typeof OPTIONS => Object.hasOwn(OPTIONS, name)

function parseOption(name: keyof typeof OPTIONS, text: string): Partial<Impairment> {
  const one = OPTIONS[name]
  const value = one.parse(text)
  if (value === undefined)
    throw new ConfigError(`impairment ${name}=${text} is not valid: it takes ${one.allowed}`)
  return { [one.key]: value }
}

const formatOption = <K extends keyof Impairment>(
  one: Option<K>,
  impairment: Impairment,
): string | undefined => one.format(impairment[one.key])

function parseBurst(text: string): Burst | undefined {
  const shares = text.split('/').map(percent)
  const [toBad, toGood, lossInBad = 100, lossInGood = 0] = shares
  if (toBad === undefined || toGood === undefined || shares.length > 4 || shares.includes(undefined))
    return undefined
  return { toBad, toGood, lossInBad, lossInGood }
}

function formatBurst(burst: Burst | null): string | undefined {
  if (burst === null) return undefined
  const { toBad, toGood, lossInBad, lossInGood } = burst
  const rest = lossInGood !== 0 ? `/${lossInBad}%/${lossInGood}%` : lossInBad !== 100 ? `/${lossInBad}%` : ''
  return `${toBad}%/${toGood}%${rest}`
}

function parseLimit(text: string): Impairment['limit'] | undefined {
  const ms = duration(text)
  if (ms !== undefined) return { ms }
  const octets = within(Math.round(scaled(text, OCTETS)), 1, MAX_LIMIT_OCTETS)
  return octets === undefined ? undefined : { octets }
}
