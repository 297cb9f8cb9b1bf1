/**
 * One client of a console socket. It is read from only while no answer waits to be read, and an answer is made piece by
 * piece as it is read: it costs the memory of a piece, however long it is, and never keeps the switch waiting.
 */
import type { Socket } from 'node:net'
import type { BridgeConsole } from '#hub/vde/console/bridge-console.ts'
import { lostLine } from '#hub/vde/console/debug-category.ts'
import { LineSplitter, LONGEST_LINE, TOO_LONG } from '#hub/vde/console/line-splitter.ts'
import { errorStatus } from '#hub/vde/console/refusal.ts'
import { type ConsoleSession, PROMPT } from '#hub/vde/console/session.ts'

/** Characters written in one turn of the event loop, and those of events that wait to be read. */
const PIECE = 16_384
const WAITING_EVENTS = 65_536

export interface ConnectionOptions {
  readonly console: BridgeConsole
  readonly now: () => number
  readonly onFailure: (error: unknown) => void
}

/** Serves a connected socket, which it owns, until it ends. It must allow to be open in one direction. */
export function serveConsole(socket: Socket, options: ConnectionOptions): void {
  // Its 'close' follows, and says all that there is to know.
  socket.on('error', () => {})
  const connection = new Connection(socket, options)
  const session = options.console.open((line) => connection.event(line))
  if (session) connection.serve(session)
  else {
    socket.write(`${errorStatus('EMFILE', 'too many sessions are open')}\n`)
    socket.destroySoon()
  }
}

class Connection {
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #lines = new LineSplitter()
  #answer: Iterator<string, void> | null = null
  #isScheduled = false
  #isFinished = false
  /** Events that came during an answer, or while the client was slow to read. */
  #events = ''
  #lost = 0

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
  }

  serve(session: ConsoleSession): void {
    const socket = this.#socket
    const goOn = (): void => this.#schedule(session)
    socket.on('data', (piece: Buffer) => {
      this.#lines.push(piece)
      socket.pause()
      goOn()
    })
    socket.on('end', () => {
      this.#lines.finish()
      this.#isFinished = true
      goOn()
    })
    socket.on('drain', goOn)
    socket.on('close', () => this.#options.console.close(session))
    socket.write(session.greeting())
  }

  event(line: string): void {
    if (!this.#answer && !this.#socket.writableNeedDrain) this.#socket.write(line)
    else if (this.#events.length < WAITING_EVENTS) this.#events += line
    else this.#lost++
  }

  /** One step a turn of the event loop: frames go between. */
  #schedule(session: ConsoleSession): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (!this.#socket.destroyed && !this.#socket.writableNeedDrain) this.#step(session)
    })
  }

  #step(session: ConsoleSession): void {
    const socket = this.#socket
    this.#answer ??= this.#nextAnswer(session)
    if (!this.#answer) {
      if (this.#isFinished) socket.destroySoon()
      else socket.resume()
      return
    }
    this.#write(this.#answer)
    if (session.isOver && !this.#answer) socket.destroySoon()
    else this.#schedule(session)
  }

  #nextAnswer(session: ConsoleSession): Iterator<string, void> | null {
    const line = this.#lines.next()
    if (line === undefined) return null
    if (line !== TOO_LONG) return session.answer(line, this.#options.now())
    return [`${errorStatus('EINVAL', `a line has ${LONGEST_LINE} octets at most`)}\n${PROMPT}`].values()
  }

  /** Writes a piece of the answer, and after it what waited for its end. */
  #write(answer: Iterator<string, void>): void {
    let piece = ''
    try {
      while (piece.length < PIECE) {
        const { done, value } = answer.next()
        if (done === true) {
          this.#answer = null
          break
        }
        piece += value
      }
    } catch (error) {
      this.#options.onFailure(error)
      piece += `${errorStatus('EIO', 'internal error, see the log')}\n${PROMPT}`
      this.#answer = null
    }
    if (!this.#answer) {
      piece += this.#events
      if (this.#lost > 0) piece += lostLine(this.#lost)
      this.#events = ''
      this.#lost = 0
    }
    this.#socket.write(piece)
  }
}
