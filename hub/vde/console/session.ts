/**
 * One session of the console: lines in, text out. An answer comes in pieces, so that a long one is made as fast as it
 * is read; the last piece ends with the prompt, unless the session is over.
 */
import type { Call, Command } from '#hub/vde/console/command.ts'
import { COMMANDS } from '#hub/vde/console/commands.ts'
import type { BridgeConsole } from '#hub/vde/console/bridge-console.ts'
import { type DebugCategory, lostLine } from '#hub/vde/console/debug-category.ts'
import { END_OF_SESSION, errorStatus, Refusal, SUCCESS } from '#hub/vde/console/refusal.ts'

/** What clients wait for. */
export const PROMPT = '\nvde$ '
/** Characters. */
const WAITING_EVENTS = 65_536
const BEGIN = "0000 DATA END WITH '.'\n"
const END = '.\n'

export class ConsoleSession {
  readonly console: BridgeConsole
  readonly subscriptions = new Set<DebugCategory>()
  /** It was ended by a command. */
  isOver = false
  readonly #onEvent: () => void
  /** Lines of events that wait to be written. */
  #events = ''
  #lost = 0

  /** @param onEvent  there are events to be taken */
  constructor(console: BridgeConsole, onEvent: () => void) {
    this.console = console
    this.#onEvent = onEvent
  }

  /** Has a line of an event to be told, or, when too many wait, counted. */
  tell(line: string): void {
    if (this.#events.length < WAITING_EVENTS) this.#events += line
    else this.#lost++
    this.#onEvent()
  }

  /** So many events are not told. */
  lose(events: number): void {
    this.#lost += events
    this.#onEvent()
  }

  /** Lines of the events that have come since the last call. */
  takeEvents(): string {
    const events = this.#lost > 0 ? this.#events + lostLine(this.#lost) : this.#events
    this.#events = ''
    this.#lost = 0
    return events
  }

  /** The bridge's name is ours to print: it has no `$`. */
  greeting(): string {
    return `Hybridge, switch ${this.console.bridge.name}\nVDE console; "help" lists its commands\n${PROMPT}`
  }

  /** @param line  without its newline @param now  monotonic milliseconds */
  *answer(line: string, now: number): Generator<string, void> {
    const [path, ...words] = line.split(/[\s\0]+/).filter((word) => word !== '')
    if (path !== undefined && !path.startsWith('#')) {
      const command = COMMANDS.get(path)
      if (command) yield* carryOut(command, { console: this.console, session: this, words, now })
      else yield `${errorStatus('ENOSYS')}\n`
      this.console.look()
    }
    if (this.isOver) yield END_OF_SESSION
    else yield this.takeEvents() + PROMPT
  }
}

function* carryOut(command: Command, call: Call): Generator<string, void> {
  let status = SUCCESS
  if ('lines' in command) yield BEGIN
  try {
    if ('run' in command) command.run(call)
    else for (const line of command.lines(call)) yield `${line}\n`
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    status = error.message
  }
  if ('lines' in command) yield END
  if (!call.session.isOver) yield `${status}\n`
}
