/**
 * The terminal while the view has it: rows drawn where they changed, keys, resizing, Ctrl-Z. It is given back however the
 * process ends, short of a kill -9.
 */
import type { ReadStream, WriteStream } from 'node:tty'

import type { Program } from 'blessed/lib/program.js'

import { atExit } from '#net/base/at-exit.ts'
import { keyOf, type Key } from '#net/view/key.ts'
import { paint, type Palette } from '#net/view/paint.ts'
import { TerminalWriter } from '#net/view/terminal-writer.ts'
import { fit, type Line } from '#net/view/text.ts'

/** A process that cannot be stopped (its group has no shell) goes on after this time. */
const STOP_MS = 200
/** So long the terminal has for the last picture before it is taken for stuck. */
const LAST_PICTURE_MS = 500
/** The same when the process exits, and nothing can be awaited. */
const EXIT_PAUSE_MS = 50

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
  readonly #writer: TerminalWriter
  readonly #stay: () => void
  /** What each row of the terminal shows. */
  #shown: string[] = []
  #mustClear = false
  /** A picture was not drawn because the last one was still being written. */
  #isBehind = false
  /** The terminal is ours: it has our screen, and raw mode. */
  #hasTerminal = false
  /** Nothing is drawn: the terminal is being given back, for good or until SIGCONT. */
  #isEnding = false
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
    this.#writer = new TerminalWriter(output.fd, {
      onWritten: (isWhole) => {
        if (!isWhole) this.#shown = []
        else if (this.#isBehind) options.onRedraw()
      },
      onGone: this.#onGone,
    })
    this.#stay = atExit(() => {
      if (this.#writer.isBusy) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, EXIT_PAUSE_MS)
      this.#close()
    })
    input.on('error', this.#onGone).on('end', this.#onGone)
    output.on('error', this.#onGone)
    process.on('SIGCONT', this.#onContinue)
    program.on('keypress', (character, key) => {
      const pressed = keyOf(character, key)
      if (pressed !== undefined && !this.#isEnding) options.onKey(pressed)
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
    if (this.#isEnding) return
    this.#isBehind = this.#writer.isBusy
    if (this.#isBehind) return
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
    if (out !== '') this.#writer.write(out)
  }

  /** Draws all of it anew. */
  redraw(): void {
    if (this.#isEnding) return
    this.#shown = []
    this.#mustClear = true
    this.#options.onRedraw()
  }

  /** Gives the terminal back and stops the process group, as Ctrl-Z does elsewhere. SIGCONT takes it again. */
  async suspend(): Promise<void> {
    if (this.#isEnding) return
    await this.#written()
    if (this.#isClosed) return
    this.#leave()
    process.kill(0, 'SIGTSTP')
    setTimeout(() => {
      if (!this.#hasTerminal) this.#resume()
    }, STOP_MS)
  }

  /** Gives the terminal back for good. May be called twice. */
  async close(): Promise<void> {
    await this.#written()
    this.#close()
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stay()
    const { input, output } = this.#options
    input.off('error', this.#onGone).off('end', this.#onGone)
    // An output that breaks now breaks for nobody.
    output.off('error', this.#onGone).on('error', () => {})
    process.off('SIGCONT', this.#onContinue)
    if (this.#hasTerminal) this.#leave()
    this.#program.destroy()
    input.pause() // else it would keep the process alive
  }

  #enter(): void {
    this.#hasTerminal = true
    this.#options.input.setRawMode(true)
    // The cursor's place is kept with the other screen; terminals without one are left empty.
    this.#program.setMode('?1049')
    this.#program.hideCursor()
    this.#isEnding = false
    this.redraw()
  }

  #leave(): void {
    this.#hasTerminal = false
    this.#program.clear()
    this.#program.showCursor()
    this.#program.resetMode('?1049')
    this.#options.input.setRawMode(false)
  }

  /** Nothing is drawn any more: what is under way would come after whatever gives the terminal back. */
  async #written(): Promise<void> {
    this.#isEnding = true
    await this.#writer.idle(LAST_PICTURE_MS)
  }

  /** A shell has had the terminal meanwhile, or whoever stopped us. */
  #resume(): void {
    if (this.#isClosed) return
    if (!this.#hasTerminal) return this.#enter()
    // Who stopped us did not ask: the mode may be the shell's, and what we hold for it is not.
    this.#options.input.setRawMode(false)
    this.#options.input.setRawMode(true)
    this.#program.hideCursor()
    this.redraw()
  }
}
