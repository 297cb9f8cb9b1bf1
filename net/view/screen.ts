/**
 * The terminal while the view has it: rows drawn where they changed, keys, resizing, Ctrl-Z. It is given back however the
 * process ends, short of a kill -9.
 */
import { write } from 'node:fs'
import type { ReadStream, WriteStream } from 'node:tty'

import type { Program } from 'blessed/lib/program.js'

import { atExit } from '#net/base/at-exit.ts'
import type { Key } from '#net/view/controls.ts'
import { paint, type Palette } from '#net/view/paint.ts'
import { fit, type Line } from '#net/view/text.ts'

/** A process that cannot be stopped (its group has no shell) goes on after this time. */
const STOP_MS = 200

/** As process.stdout is. */
export type TerminalOutput = WriteStream & { readonly fd: number }

export interface ScreenOptions {
  readonly input: ReadStream
  readonly output: TerminalOutput
  readonly env: NodeJS.ProcessEnv
  readonly palette: Palette
  readonly onKey: (key: Key) => void
  /** The picture must be drawn again: another size, or back from Ctrl-Z. */
  readonly onRedraw: () => void
  /** The terminal is gone. */
  readonly onGone: () => void
}

export class Screen {
  readonly #options: ScreenOptions
  readonly #program: Program
  readonly #stay: () => void
  /** What each row of the terminal shows. */
  #shown: string[] = []
  #mustClear = false
  #isWriting = false
  /** A picture was not drawn because of that. */
  #isBehind = false
  #isSuspended = false
  #isClosed = false
  readonly #onContinue = (): void => this.#resume()
  readonly #onGone = (): void => {
    if (!this.#isClosed) this.#options.onGone()
  }

  /** Takes the terminal. blessed is loaded only now: it is large, and most runs have no view. */
  static async open(options: ScreenOptions): Promise<Screen> {
    const { default: program } = await import('blessed/lib/program.js')
    const { input, output, env } = options
    return new Screen(options, program({ input, output, terminal: env['TERM'] ?? '', tput: false }))
  }

  private constructor(options: ScreenOptions, program: Program) {
    this.#options = options
    this.#program = program
    const { input, output } = options
    this.#stay = atExit(() => this.close())
    input.on('error', this.#onGone).on('end', this.#onGone)
    output.on('error', this.#onGone)
    process.on('SIGCONT', this.#onContinue)
    program.on('keypress', (character, key) => {
      const pressed = keyOf(character, key)
      if (pressed !== undefined && !this.#isSuspended) options.onKey(pressed)
    })
    program.on('resize', () => this.redraw())
    this.#enter()
  }

  get width(): number {
    return this.#program.cols
  }

  get height(): number {
    return this.#program.rows
  }

  /**
   * Shows rows as they are given, the topmost first. While the terminal is still busy with the last ones nothing is
   * written; the picture is asked for again when it is done. So a slow terminal holds up nobody.
   */
  draw(rows: readonly Line[]): void {
    if (this.#isClosed || this.#isSuspended) return
    this.#isBehind = this.#isWriting
    if (this.#isWriting) return
    let out = this.#mustClear ? '\u001b[H\u001b[J' : ''
    this.#mustClear = false
    rows.forEach((row, i) => {
      // Some terminals scroll when the last column of the last row is written.
      const whole = i === this.height - 1 ? fit(row, this.width - 1) : row
      const text = paint(whole, this.#options.palette)
      if (text === this.#shown[i]) return
      this.#shown[i] = text
      out += `\u001b[${i + 1};1H${text}`
    })
    if (out !== '') this.#write(out)
  }

  /** Draws all of it anew. */
  redraw(): void {
    if (this.#isClosed || this.#isSuspended) return
    this.#shown = []
    this.#mustClear = true
    this.#options.onRedraw()
  }

  /** Gives the terminal back and stops the process group, as Ctrl-Z does elsewhere. SIGCONT takes it again. */
  suspend(): void {
    if (this.#isClosed || this.#isSuspended) return
    this.#isSuspended = true
    this.#leave()
    process.kill(0, 'SIGTSTP')
    setTimeout(() => this.#resume(), STOP_MS)
  }

  /** Gives the terminal back for good. May be called twice. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stay()
    const { input, output } = this.#options
    input.off('error', this.#onGone).off('end', this.#onGone)
    // An output that breaks now breaks for nobody.
    output.off('error', this.#onGone).on('error', () => {})
    process.off('SIGCONT', this.#onContinue)
    if (!this.#isSuspended) this.#leave()
    this.#program.destroy()
    input.pause() // else it would keep the process alive
  }

  #enter(): void {
    this.#options.input.setRawMode(true)
    // The cursor's place is kept with the other screen; terminals without one are left empty.
    this.#program.setMode('?1049')
    this.#program.hideCursor()
    this.#shown = []
    this.#mustClear = true
  }

  #leave(): void {
    this.#program.clear()
    this.#program.showCursor()
    this.#program.resetMode('?1049')
    this.#options.input.setRawMode(false)
  }

  /** A shell has had the terminal meanwhile, or whoever stopped us. */
  #resume(): void {
    if (this.#isClosed) return
    if (!this.#isSuspended) this.#options.input.setRawMode(false)
    this.#isSuspended = false
    this.#enter()
    this.#options.onRedraw()
  }

  /**
   * In a thread: writing to a terminal blocks, and the connection of whoever looks on may hang, while frames go on through
   * this process.
   */
  #write(text: string): void {
    const octets = Buffer.from(text)
    const fd = this.#options.output.fd
    this.#isWriting = true
    const next = (from: number): void =>
      write(fd, octets, from, octets.length - from, null, (error, written) => {
        if (error === null && from + written < octets.length) return next(from + written)
        this.#isWriting = false
        if (error !== null && error.code !== 'EAGAIN') return this.#onGone()
        if (error !== null) this.#shown = []
        else if (this.#isBehind) this.#options.onRedraw()
      })
    next(0)
  }
}

/** Undefined for what no key of ours can be: mouse, function keys' remains. */
function keyOf(
  character: string | undefined,
  key: { readonly name?: string; readonly full?: string; readonly meta?: boolean } | undefined,
): Key | undefined {
  const isTyped =
    character !== undefined && character.length === 1 && character >= ' ' && character !== '\u007f'
  if (isTyped && key?.meta !== true) return { name: character === ' ' ? 'space' : character, text: character }
  // blessed tells of Enter twice.
  if (key?.name === undefined || key.name === 'return') return undefined
  return { name: key.name === 'linefeed' ? 'enter' : (key.full ?? key.name), text: '' }
}
