/** A command of the console, and what it works on. */
import { MAX_VID } from '#net/switch/vlan.ts'
import type { SwitchPort } from '#net/switch/switch.ts'
import type { BridgeConsole } from '#hub/vde/console/bridge-console.ts'
import type { ConsoleSession } from '#hub/vde/console/session.ts'
import { parseNumber } from '#hub/vde/console/number.ts'
import { Refusal } from '#hub/vde/console/refusal.ts'

export interface Call {
  readonly console: BridgeConsole
  readonly session: ConsoleSession
  /** What follows the command. */
  readonly words: readonly string[]
  /** Monotonic milliseconds. */
  readonly now: number
}

interface Described {
  /** `port/print`; of a menu, `port`. */
  readonly path: string
  readonly syntax?: string
  readonly help: string
}
/** A heading of the help. */
export type Menu = Described & { readonly menu: true }
/** Does something. @throws Refusal */
type Action = Described & { readonly run: (call: Call) => void }
/** Answers with lines, `.` on its own not among them; may change its mind between them. @throws Refusal */
type Query = Described & { readonly lines: (call: Call) => Iterable<string> }
export type Command = Action | Query

export const HIGHEST_PORT = 1024

/** Number of a port, there or not. */
export function portNumber(word: string | undefined): number {
  const number = parseNumber(word ?? '')
  if (number >= 1 && number <= HIGHEST_PORT) return number
  throw new Refusal('EINVAL')
}

/** The entry of a port. */
export function portOf({ console }: Call, word: string | undefined): SwitchPort {
  const entry = console.bridge.switch.entry(portNumber(word))
  if (entry) return entry
  throw new Refusal('ENXIO')
}

/** A VLAN that is listed. */
export function vlanOf({ console }: Call, word: string | undefined): number {
  const vid = parseNumber(word ?? '')
  if (!(vid <= MAX_VID)) throw new Refusal('EINVAL')
  if (!console.vlans.has(vid)) throw new Refusal('ENXIO')
  return vid
}

export function flagOf(word: string | undefined): boolean {
  if (word !== '0' && word !== '1') throw new Refusal('EINVAL')
  return word === '1'
}

/** Text of others on one line of ours: what would be no visible character is a question mark. */
export const printable = (text: string): string => text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
