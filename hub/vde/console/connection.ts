/**
 * One client of a console socket. It is read from only while no answer waits to be read, and an answer is made piece by
 * piece as it is read: it costs the memory of a piece, however long it is, and never keeps the switch waiting.
 */
import type { Socket } from 'node:net'
import type { BridgeConsole } from '#hub/vde/console/bridge-console.ts'
import { LineSplitter, LONGEST_LINE, TOO_LONG } from '#hub/vde/console/line-splitter.ts'
import { errorStatus } from '#hub/vde/console/refusal.ts'
import { type ConsoleSession, PROMPT } from '#hub/vde/console/session.ts'

/** Characters written in one turn of the event loop. */
const PIECE = 16_384
/** A line whose newline has not come after this is whole: vdeterm sends none. */
const LINE_MS = 50

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
  const session = options.console.open(() => connection.wake())
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
  #session: ConsoleSession | undefined
  #answer: Iterator<string, void> | null = null
  #isScheduled = false
  #isFinished = false
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
  }

  serve(session: ConsoleSession): void {
    const socket = this.#socket
    this.#session = session
    socket.on('data', (piece: Buffer) => {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#lines.push(piece)
      socket.pause()
      this.wake()
    })
    socket.on('end', () => {
      this.#lines.finish()
      this.#isFinished = true
      this.wake()
    })
    socket.on('drain', () => this.wake())
    socket.on('close', () => {
      clearTimeout(this.#timer)
      this.#session = undefined
      this.#options.console.close(session)
    })
    socket.write(session.greeting())
  }

  /** There may be something to do: one step a turn of the event loop, so that frames go between. */
  wake(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (this.#session && !this.#socket.writableNeedDrain) this.#step(this.#session)
    })
  }

  #step(session: ConsoleSession): void {
    this.#answer ??= this.#nextAnswer(session)
    if (!this.#answer) {
      const events = session.takeEvents()
      if (events !== '') this.#socket.write(events)
      if (this.#isFinished) this.#socket.destroySoon()
      else this.#read()
      return
    }
    this.#write(this.#answer)
    if (session.isOver && !this.#answer) this.#socket.destroySoon()
    else this.wake()
  }

  #read(): void {
    if (this.#lines.isInLine && this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#lines.finish()
        this.wake()
      }, LINE_MS)
    }
    this.#socket.resume()
  }

  #nextAnswer(session: ConsoleSession): Iterator<string, void> | null {
    const line = this.#lines.next()
    if (line === undefined) return null
    if (line !== TOO_LONG) return session.answer(line, this.#options.now())
    return [`${errorStatus('EINVAL', `a line has ${LONGEST_LINE} octets at most`)}\n${PROMPT}`].values()
  }

  /** Writes a piece of the answer. */
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
    this.#socket.write(piece)
  }
}
