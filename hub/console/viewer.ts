/**
 * Somebody's view of a device's console: its unix socket at one end, a terminal or a program at the other. A device that
 * is off is waited for; what it kept of its output is shown when it is back.
 */
import { connect, type Socket } from 'node:net'
import { reasonOf } from '#net/base/errors.ts'
import { printable } from '#net/base/printable.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { EscapeMenu, HELP, MENU, type Typed } from '#hub/console/escape-menu.ts'
import {
  LONGEST_NAME,
  RECORD_END,
  RECORD_INPUT,
  RECORD_NOTICE,
  RECORD_OUTPUT,
  RECORD_ROLE,
  RECORD_TAKE_OVER,
  RecordReader,
  records,
  resizeRecord,
  type Size,
} from '#hub/console/records.ts'

const TRY_AGAIN_MS = 250
/** How often it is asked whether the device is still to run. */
const ASK_MS = 2000
/** How long a console says nothing when it has answered. */
const SILENCE_MS = 2000
/** Octets that wait for the console; the terminal is not heard meanwhile. */
const MOST_INPUT = 65_536
/** Of which it is refused: it may be about to end, or has not begun. */
const AWAY = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

/** The other end: a terminal, or a program's input and output. */
interface ViewerEnd {
  /** @returns false: no more until `resume` is called */
  write(octets: Uint8Array): boolean
  /** What the hub has to say, of one line or more. */
  notice(text: string): void
  /** It is over. @param why  undefined: as the viewer wished */
  ended(why: string | undefined): void
  /** What is typed is read again, or not for a while. */
  listen(isListening: boolean): void
}

export interface ViewerOptions {
  /** Of the device's console. */
  readonly socket: string
  /** Of the device, for people. */
  readonly device: string
  /** Who looks, for the others. */
  readonly viewer: string
  /** Undefined: none that can be told to reset itself. */
  readonly terminal: Size | undefined
  /** Whether Ctrl-] is for the viewer; else it is a character as any other. */
  readonly hasMenu: boolean
  readonly end: ViewerEnd
  /** Asked while the device is away: why it will not come back; undefined: it may. Never rejects. */
  readonly whyGone?: () => Promise<string | undefined>
}

export class ConsoleViewer {
  readonly #options: ViewerOptions
  readonly #menu = new EscapeMenu()
  #size: Size | undefined
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  /** Runs since nothing more is typed. */
  #silence: NodeJS.Timeout | undefined
  #isAway = false
  /** Whether it types, or did before the device was away. */
  #types = false
  #hasTyped = false
  #askedAt = -Infinity
  #isOver = false

  /** Begins at once. */
  constructor(options: ViewerOptions) {
    this.#options = options
    this.#size = options.terminal
    this.#connect()
  }

  /** What is typed. */
  input(octets: Uint8Array): void {
    if (!this.#options.hasMenu) return this.#send(octets)
    for (const typed of this.#menu.read(octets)) {
      this.#act(typed)
      if (this.#isOver) return
    }
  }

  /** As if Ctrl-] were typed. */
  openMenu(): void {
    this.#act(this.#menu.open())
  }

  resize(size: Size): void {
    this.#size = size
    this.#socket?.write(resizeRecord(size))
  }

  /** Nothing more is typed: it ends when the console has shown all that it has to say to that. */
  inputEnded(): void {
    if (this.#isOver) return
    this.#silence = setTimeout(() => {
      const { device } = this.#options
      if (this.#isAway) this.#finish(`${device} is not running`)
      else
        this.#finish(
          this.#types || !this.#hasTyped ? undefined : `${device} did not hear you: somebody else types`,
        )
    }, SILENCE_MS)
  }

  /** After `write` said no: there is room again. */
  resume(): void {
    this.#socket?.resume()
  }

  close(): void {
    this.#finish(undefined)
  }

  #act(typed: Typed): void {
    const { end } = this.#options
    if (typed.kind === 'input') this.#send(typed.octets)
    else if (typed.kind === 'take-over') this.#socket?.write(records(RECORD_TAKE_OVER))
    else if (typed.kind === 'quit') this.#finish(undefined)
    else end.notice(typed.kind === 'menu' ? MENU : HELP)
  }

  #send(octets: Uint8Array): void {
    const socket = this.#socket
    if (!socket || this.#isAway) return
    this.#hasTyped = true
    socket.write(records(RECORD_INPUT, octets))
    if (socket.writableLength > MOST_INPUT) this.#options.end.listen(false)
  }

  #connect(): void {
    const { socket: path, end } = this.#options
    const viewer = this.#options.viewer.slice(0, LONGEST_NAME)
    const socket = connect(path)
    const reader = new RecordReader()
    let failure: unknown
    this.#socket = socket
    // Waits for the connection, as all does that is written before.
    socket.write(`${JSON.stringify({ viewer, terminal: this.#size ?? null, typed: this.#types })}\n`)
    socket.on('data', (piece: Buffer) => {
      try {
        reader.push(piece)
        for (let next = reader.next(); next && !this.#isOver; next = reader.next())
          this.#record(next.type, next.body)
      } catch (error) {
        this.#finish(reasonOf(error))
      }
    })
    socket.on('drain', () => end.listen(true))
    socket.on('error', (error) => (failure = error))
    socket.on('close', () => this.#lost(failure))
  }

  #record(type: number, body: Buffer): void {
    const { device, end } = this.#options
    if (this.#isAway) end.notice(`${device} is back`)
    this.#isAway = false
    this.#silence?.refresh()
    if (type === RECORD_OUTPUT) {
      if (!end.write(body)) this.#socket?.pause()
    } else if (type === RECORD_NOTICE) end.notice(printable(body.toString()))
    else if (type === RECORD_ROLE) this.#types = body[0] === 1
    else if (type === RECORD_END) this.#finish(printable(body.toString()))
  }

  #lost(failure: unknown): void {
    if (this.#isOver) return
    const { device, end } = this.#options
    this.#socket = undefined
    if (failure !== undefined && !AWAY.has(errnoOf(failure)))
      return this.#finish(`the console of ${device} cannot be had: ${reasonOf(failure)}`)
    if (!this.#isAway) {
      this.#isAway = true
      end.listen(true)
      end.notice(`${device} is not running; waiting ...`)
    }
    this.#timer = setTimeout(() => this.#connect(), TRY_AGAIN_MS)
    void this.#ask()
  }

  async #ask(): Promise<void> {
    const now = performance.now()
    if (now - this.#askedAt < ASK_MS) return
    this.#askedAt = now
    const why = await this.#options.whyGone?.()
    if (why !== undefined && this.#isAway) this.#finish(why)
  }

  #finish(why: string | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    clearTimeout(this.#silence)
    this.#socket?.destroy()
    this.#options.end.ended(why)
  }
}
