/** RSTP as the operator sets it: `rstp=on,priority=4096` of a bridge, `edge=yes`, `cost=2000` of a port. */
import { ConfigError } from '#net/base/errors.ts'
import { DEFAULT_PORT_PRIORITY, type PortSettings } from '#net/stp/port.ts'
import type { BridgeSettings } from '#net/stp/state.ts'
import { DEFAULT_FORWARD_DELAY_S, DEFAULT_HELLO_S, DEFAULT_MAX_AGE_S } from '#net/stp/times.ts'
import type { LinkSpeed } from '#hub/fabric/link-speed.ts'

export interface RstpBridgeSettings extends BridgeSettings {
  readonly isOn: boolean
}

export interface RstpPortSettings {
  readonly edge: PortSettings['edge']
  readonly cost: number | 'auto'
  readonly priority: number
  readonly p2p: 'auto' | 'yes' | 'no'
}

/** IEEE Std 802.1D-2004 Tables 17-1 and 17-2. */
export const DEFAULT_RSTP: RstpBridgeSettings = {
  isOn: false,
  priority: 32_768,
  hello: DEFAULT_HELLO_S,
  maxAge: DEFAULT_MAX_AGE_S,
  forwardDelay: DEFAULT_FORWARD_DELAY_S,
}
export const DEFAULT_RSTP_PORT: RstpPortSettings = {
  edge: 'auto',
  cost: 'auto',
  priority: DEFAULT_PORT_PRIORITY,
  p2p: 'auto',
}

export const RSTP_BRIDGE_OPTIONS = ['rstp', 'priority', 'hello', 'max-age', 'forward-delay'] as const
export const RSTP_PORT_OPTIONS = ['edge', 'cost', 'stp-priority', 'p2p'] as const

type Wanted = Readonly<Record<string, string>>

/** Settings with those of `wanted` that are RSTP's. @throws ConfigError that names value and what is allowed */
export function withRstpBridge(settings: RstpBridgeSettings, wanted: Wanted): RstpBridgeSettings {
  const next = {
    isOn: choice(wanted, 'rstp', ['on', 'off'], settings.isOn ? 'on' : 'off') === 'on',
    priority: number(wanted, 'priority', { least: 0, most: 61_440, step: 4096 }, settings.priority),
    hello: number(wanted, 'hello', { least: 1, most: 2, step: 1 }, settings.hello),
    maxAge: number(wanted, 'max-age', { least: 6, most: 40, step: 1 }, settings.maxAge),
    forwardDelay: number(wanted, 'forward-delay', { least: 4, most: 30, step: 1 }, settings.forwardDelay),
  }
  const { hello, maxAge, forwardDelay } = next
  if (2 * (forwardDelay - 1) < maxAge || maxAge < 2 * (hello + 1))
    throw new ConfigError(
      `hello=${hello}, max-age=${maxAge} and forward-delay=${forwardDelay} do not go together: max-age is at least ` +
        '2 x (hello + 1) and at most 2 x (forward-delay - 1) (IEEE 802.1D, 17.14)',
    )
  return next
}

/** Settings with those of `wanted` that are RSTP's. @throws ConfigError that names value and what is allowed */
export const withRstpPort = (settings: RstpPortSettings, wanted: Wanted): RstpPortSettings => ({
  edge: choice(wanted, 'edge', ['auto', 'yes', 'no'], settings.edge),
  cost:
    wanted['cost'] === 'auto' || (wanted['cost'] === undefined && settings.cost === 'auto')
      ? 'auto'
      : number(wanted, 'cost', { least: 1, most: MAX_COST, step: 1 }, Number(settings.cost)),
  priority: number(wanted, 'stp-priority', { least: 0, most: 240, step: 16 }, settings.priority),
  p2p: choice(wanted, 'p2p', ['auto', 'yes', 'no'], settings.p2p),
})

/** Text of one setting as `withRstpBridge` takes it, undefined for the default. */
export function readRstpBridge(
  settings: RstpBridgeSettings,
  name: (typeof RSTP_BRIDGE_OPTIONS)[number],
): string | undefined {
  const text = (of: RstpBridgeSettings): string =>
    ({
      rstp: of.isOn ? 'on' : 'off',
      priority: String(of.priority),
      hello: String(of.hello),
      'max-age': String(of.maxAge),
      'forward-delay': String(of.forwardDelay),
    })[name]
  return text(settings) === text(DEFAULT_RSTP) ? undefined : text(settings)
}

/** Text of one setting as `withRstpPort` takes it, undefined for the default. */
export function readRstpPort(
  settings: RstpPortSettings,
  name: (typeof RSTP_PORT_OPTIONS)[number],
): string | undefined {
  const key = name === 'stp-priority' ? 'priority' : name
  return settings[key] === DEFAULT_RSTP_PORT[key] ? undefined : String(settings[key])
}

const MAX_COST = 200_000_000
/** Table 17-3: 20 000 for 1 Gb/s, and in proportion. */
const COST_OF_A_MEGABIT = 20_000_000

/** What the protocol is told of a port whose link is like this. */
export const portSettings = (settings: RstpPortSettings, link: LinkSpeed): PortSettings => ({
  priority: settings.priority,
  pathCost:
    settings.cost === 'auto'
      ? Math.min(Math.max(Math.round(COST_OF_A_MEGABIT / link.megabits), 1), MAX_COST)
      : settings.cost,
  edge: settings.edge,
  pointToPoint: settings.p2p === 'auto' ? !link.isHalfDuplex : settings.p2p === 'yes',
})

function choice<T extends string>(wanted: Wanted, name: string, known: readonly T[], current: T): T {
  const text = wanted[name] ?? current
  const found = known.find((value) => value === text)
  if (found === undefined) throw new ConfigError(`${name}=${text} is not valid: it is ${known.join(' or ')}`)
  return found
}

interface Range {
  readonly least: number
  readonly most: number
  readonly step: number
}

function number(wanted: Wanted, name: string, { least, most, step }: Range, current: number): number {
  const text = wanted[name] ?? String(current)
  const value = Number(text)
  if (!/^\d{1,9}$/.test(text) || value < least || value > most || value % step !== 0)
    throw new ConfigError(
      `${name}=${text} is not valid: it is ${least} to ${most}${step === 1 ? '' : `, in steps of ${step}`}`,
    )
  return value
}
