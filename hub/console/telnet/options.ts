/**
 * Which options of telnet are in use, RFC 854 and 855, negotiated as RFC 1143 has it: nothing that is agreed is answered,
 * so that no two ends answer each other for ever. What we want is asked for once; nothing is ever given up by us.
 */

export const WILL = 251
const WONT = 252
const DO = 253
export const DONT = 254

/** RFC 856: octets as they are. */
export const BINARY = 0
/** RFC 857: who shows what is typed. */
const ECHO = 1
/** RFC 858: no GO AHEAD. */
const SUPPRESS_GO_AHEAD = 3
/** RFC 1091: the name of the peer's terminal. */
export const TERMINAL_TYPE = 24
/** RFC 1073: the size of the peer's window. */
export const WINDOW_SIZE = 31

/** What we do. */
const OURS: readonly number[] = [ECHO, SUPPRESS_GO_AHEAD, BINARY]
/** What we want the peer to do. */
const THEIRS: readonly number[] = [SUPPRESS_GO_AHEAD, BINARY, WINDOW_SIZE, TERMINAL_TYPE]

/** `asked`: we have asked, the peer has not answered. */
type State = 'off' | 'asked' | 'on'

export class TelnetOptions {
  readonly #ours = new Map<number, State>(OURS.map((option) => [option, 'off']))
  readonly #theirs = new Map<number, State>(THEIRS.map((option) => [option, 'off']))

  /** Whether we do it. */
  isOurs(option: number): boolean {
    return this.#ours.get(option) === 'on'
  }

  /** Whether the peer does it. */
  isTheirs(option: number): boolean {
    return this.#theirs.get(option) === 'on'
  }

  /** Whether all that was asked for has been answered. */
  get isSettled(): boolean {
    return ![...this.#ours.values(), ...this.#theirs.values()].includes('asked')
  }

  /** What to ask for: verbs and options. */
  *ask(): Generator<readonly [verb: number, option: number]> {
    for (const option of this.#ours.keys()) {
      this.#ours.set(option, 'asked')
      yield [WILL, option]
    }
    for (const option of this.#theirs.keys()) {
      this.#theirs.set(option, 'asked')
      yield [DO, option]
    }
  }

  /** What the peer says of an option. @returns the verb to answer with; undefined: none is due */
  receive(verb: number, option: number): number | undefined {
    if (verb === DO) return agree(this.#ours, option, WILL, WONT)
    if (verb === WILL) return agree(this.#theirs, option, DO, DONT)
    if (verb === DONT) return refuse(this.#ours, option, WONT)
    return refuse(this.#theirs, option, DONT)
  }
}

function agree(states: Map<number, State>, option: number, yes: number, no: number): number | undefined {
  const state = states.get(option)
  if (state === undefined) return no
  states.set(option, 'on')
  return state === 'off' ? yes : undefined
}

function refuse(states: Map<number, State>, option: number, no: number): number | undefined {
  const state = states.get(option)
  if (state === undefined || state === 'off') return undefined
  states.set(option, 'off')
  return state === 'on' ? no : undefined
}
