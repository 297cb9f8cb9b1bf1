/**
 * What a port does with VLANs, as the operator writes it: `mode=access,vlan=10`, `mode=trunk,native=1,tagged=10+20-29`,
 * `mode=tunnel,qnq=100,strict=1,tpid=88a8`. What each does to frames: `#net/switch/port-vlans.ts`.
 */
import { ConfigError } from '#net/base/errors.ts'
import { MAX_VID, type Tpid, TPIDS } from '#net/switch/vlan.ts'
import { TPID_C_TAG } from '#net/wire/ethernet.ts'

/** Ranges of VIDs, both ends included, in order, apart from each other. */
export type VidSet = readonly (readonly [first: number, last: number])[]

export type PortMode =
  /** Everything passes as it is; towards other modes a trunk of all VLANs whose untagged traffic is VLAN 0. */
  | { readonly kind: 'transparent' }
  /** Untagged frames only, of one VLAN. */
  | { readonly kind: 'access'; readonly vlan: number }
  /** The VLANs in `tagged` with their tag, and `native` without; null: untagged frames are dropped. */
  | { readonly kind: 'trunk'; readonly native: number | null; readonly tagged: VidSet; readonly tpid: Tpid }
  /** QinQ: the service tag (`tpid`, `qnq`) is pushed on entry and popped on exit. */
  | {
      readonly kind: 'tunnel'
      readonly qnq: number
      /** Carry frames with a customer tag only, and tunnel them all. */
      readonly strict: boolean
      /** Customer VIDs that are switched as they are, unless strict. */
      readonly tagged: VidSet
      readonly tpid: Tpid
    }

export const TRANSPARENT: PortMode = { kind: 'transparent' }
const ALL_VIDS: VidSet = [[1, MAX_VID]]

const OPTIONS = {
  transparent: [],
  access: ['vlan'],
  trunk: ['native', 'tagged', 'tpid'],
  tunnel: ['qnq', 'strict', 'tagged', 'tpid'],
} as const satisfies Record<PortMode['kind'], readonly string[]>

/** Reads the operator's text. @throws ConfigError that names the option, its value and what is allowed */
export function parsePortMode(text: string): PortMode {
  const options = readOptions(text)
  const kind = options.get('mode') ?? wrong('mode', undefined, 'transparent, access, trunk or tunnel')
  if (!isKind(kind)) wrong('mode', kind, 'transparent, access, trunk or tunnel')
  const allowed: readonly string[] = OPTIONS[kind]
  for (const [name, value] of options) {
    if (name === 'mode' || allowed.includes(name)) continue
    const list = allowed.length === 0 ? 'has no further options' : `takes ${allowed.join(', ')}`
    throw new ConfigError(`port option ${name}=${value} does not belong here: mode=${kind} ${list}`)
  }
  if (kind === 'transparent') return TRANSPARENT
  if (kind === 'access') return { kind, vlan: vid('vlan', options.get('vlan'), 0) }
  return kind === 'trunk' ? trunk(options) : tunnel(options)
}

function trunk(options: Map<string, string>): PortMode {
  return {
    kind: 'trunk',
    native: native(options.get('native')),
    tagged: vidSet(options.get('tagged') ?? 'all'),
    tpid: tpid(options.get('tpid')),
  }
}

function tunnel(options: Map<string, string>): PortMode {
  const mode = {
    kind: 'tunnel',
    qnq: vid('qnq', options.get('qnq'), 1),
    strict: flag('strict', options.get('strict')),
    tagged: vidSet(options.get('tagged') ?? 'none'),
    tpid: tpid(options.get('tpid')),
  } as const
  if (
    mode.tpid === TPID_C_TAG &&
    mode.tagged.some(([first, last]) => first <= mode.qnq && mode.qnq <= last)
  ) {
    wrong('tagged', options.get('tagged'), `VLANs other than the service VLAN, qnq=${mode.qnq}`)
  }
  return mode
}

/** The operator's text of a mode, complete: `parsePortMode` reads it back. */
export function formatPortMode(mode: PortMode): string {
  if (mode.kind === 'transparent') return 'mode=transparent'
  if (mode.kind === 'access') return `mode=access,vlan=${mode.vlan}`
  const own =
    mode.kind === 'trunk'
      ? `mode=trunk,native=${mode.native ?? 'none'}`
      : `mode=tunnel,qnq=${mode.qnq},strict=${Number(mode.strict)}`
  return `${own},tagged=${vidSetText(mode.tagged)},tpid=${mode.tpid.toString(16)}`
}

/** Values of the report's columns `untagged_vlan=%04d QnQ,Strict=%04d,%d`. */
export interface VlanColumns {
  /** VLAN of untagged frames; 4095: they are dropped. */
  readonly untaggedVlan: number
  /** Service VID, 0: no QinQ. */
  readonly qnq: number
  /** Only what belongs is carried: untagged frames on an access port, customer-tagged ones on a strict tunnel. */
  readonly strict: boolean
}

export function vlanColumns(mode: PortMode): VlanColumns {
  if (mode.kind === 'access') return { untaggedVlan: mode.vlan, qnq: 0, strict: true }
  if (mode.kind === 'trunk') return { untaggedVlan: mode.native ?? 4095, qnq: 0, strict: false }
  if (mode.kind === 'tunnel') return { untaggedVlan: 0, qnq: mode.qnq, strict: mode.strict }
  return { untaggedVlan: 0, qnq: 0, strict: false }
}

/** `untagged_vlan=0010 QnQ,Strict=0000,0` */
export function vlanColumnsText(mode: PortMode): string {
  const { untaggedVlan, qnq, strict } = vlanColumns(mode)
  return `untagged_vlan=${digits(untaggedVlan)} QnQ,Strict=${digits(qnq)},${Number(strict)}`
}

const digits = (n: number): string => String(n).padStart(4, '0')

const isKind = (text: string): text is PortMode['kind'] => Object.hasOwn(OPTIONS, text)

function readOptions(text: string): Map<string, string> {
  const options = new Map<string, string>()
  for (const part of text.split(',')) {
    const equals = part.indexOf('=')
    if (equals < 1)
      throw new ConfigError(`port option '${part}' has no value: write NAME=VALUE, as in mode=access`)
    const name = part.slice(0, equals)
    if (options.has(name)) throw new ConfigError(`port option ${name} is given twice`)
    options.set(name, part.slice(equals + 1))
  }
  return options
}

function wrong(name: string, value: string | undefined, allowed: string): never {
  if (value === undefined) throw new ConfigError(`port option ${name} is missing: it takes ${allowed}`)
  throw new ConfigError(`port option ${name}=${value} is not valid: it takes ${allowed}`)
}

function vid(name: string, text: string | undefined, least: number): number {
  const n = number(text ?? '')
  return n >= least && n <= MAX_VID ? n : wrong(name, text, `a VLAN from ${least} to ${MAX_VID}`)
}

function native(text: string | undefined): number | null {
  if (text === undefined || text === 'none') return null
  const n = number(text)
  return n >= 0 && n <= MAX_VID ? n : wrong('native', text, `a VLAN from 0 to ${MAX_VID}, or none`)
}

function flag(name: string, text: string | undefined): boolean {
  if (text === undefined || text === '0') return false
  return text === '1' || wrong(name, text, '0 or 1')
}

function tpid(text: string | undefined): Tpid {
  if (text === undefined) return TPID_C_TAG
  const found = TPIDS.find((one) => one.toString(16) === text.toLowerCase().replace(/^0x/, ''))
  return found ?? wrong('tpid', text, TPIDS.map((one) => one.toString(16)).join(', '))
}

/** `all`, `none` or `10+20-29`; overlapping and touching ranges are joined. */
function vidSet(text: string): VidSet {
  if (text === 'all') return ALL_VIDS
  if (text === 'none') return []
  const ranges = text.split('+').map((part): [number, number] => {
    const ends = part.split('-')
    const first = number(ends[0] ?? '')
    const last = ends.length === 1 ? first : number(ends[1] ?? '')
    if (ends.length <= 2 && first >= 1 && first <= last && last <= MAX_VID) return [first, last]
    return wrong('tagged', text, `all, none, or VLANs from 1 to ${MAX_VID} like 10+20-29`)
  })
  ranges.sort((a, b) => a[0] - b[0])
  const joined: [number, number][] = []
  for (const range of ranges) {
    const before = joined.at(-1)
    if (before !== undefined && range[0] <= before[1] + 1) before[1] = Math.max(before[1], range[1])
    else joined.push(range)
  }
  return joined
}

function vidSetText(set: VidSet): string {
  if (set.length === 0) return 'none'
  if (set[0]?.[0] === 1 && set[0][1] === MAX_VID) return 'all'
  return set.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join('+')
}

/** A plain decimal number; NaN for anything else. */
const number = (text: string): number => (/^\d{1,4}$/.test(text) ? Number(text) : NaN)
