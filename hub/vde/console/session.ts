/**
 * One session of the console: lines in, text out. An answer comes in pieces, so that a long one is made as fast as it
 * is read; the last piece ends with the prompt, unless the session is over.
 */
import type { Call, Command } from '#hub/vde/console/command.ts'
import { COMMANDS } from '#hub/vde/console/commands.ts'
import type { BridgeConsole } from '#hub/vde/console/bridge-console.ts'
import type { DebugCategory } from '#hub/vde/console/debug-category.ts'
import { END_OF_SESSION, errorStatus, Refusal, SUCCESS } from '#hub/vde/console/refusal.ts'

/** What clients wait for. */
export const PROMPT = '\nvde$ '
const BEGIN = "0000 DATA END WITH '.'\n"
const END = '.\n'

export class ConsoleSession {
  readonly console: BridgeConsole
  readonly subscriptions = new Set<DebugCategory>()
  /** Takes a line of an event. */
  readonly emit: (line: string) => void
  /** It was ended by a command. */
  isOver = false

  constructor(console: BridgeConsole, emit: (line: string) => void) {
    this.console = console
    this.emit = emit
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
    }
    yield this.isOver ? END_OF_SESSION : PROMPT
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
