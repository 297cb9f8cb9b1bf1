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
const CLEAR = '\u001b[H\u001b[J'
const HIDE_CURSOR = '\u001b[?25l'
/** Its own screen; the cursor's place is kept with the other one. */
const ENTER = `\u001b[?1049h${HIDE_CURSOR}`
/** Terminals with one screen only are left empty. */
const LEAVE = `${CLEAR}\u001b[?25h\u001b[?1049l`

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
  /** What each row of the terminal shows; nothing: it is to be cleared. */
  #shown: string[] = []
  /** What comes before the next picture then. */
  #prefix = ''
  /** A picture was not drawn because the last one was still being written. */
  #isBehind = false
  /** The terminal is ours: it has our screen, and raw mode. */
  #hasTerminal = false
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
      onWritten: () => {
        if (this.#isBehind) options.onRedraw()
      },
      onGone: this.#onGone,
    })
    this.#stay = atExit(() => this.close())
    input.on('error', this.#onGone).on('end', this.#onGone)
    output.on('error', this.#onGone)
    process.on('SIGCONT', this.#onContinue)
    program.on('keypress', (character, key) => {
      const pressed = keyOf(character, key)
      if (pressed !== undefined && this.#hasTerminal) options.onKey(pressed)
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
    if (!this.#hasTerminal) return
    this.#isBehind = this.#writer.isBusy
    if (this.#isBehind) return
    let out = ''
    if (this.#shown.length === 0) {
      out = this.#prefix + CLEAR
      this.#prefix = ''
    }
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
    if (!this.#hasTerminal) return
    this.#shown = []
    this.#options.onRedraw()
  }

  /** Gives the terminal back and stops the process group, as Ctrl-Z does elsewhere. SIGCONT takes it again. */
  suspend(): void {
    if (!this.#hasTerminal) return
    this.#leave()
    process.kill(0, 'SIGTSTP')
    setTimeout(() => {
      if (!this.#hasTerminal) this.#resume()
    }, STOP_MS)
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
    if (this.#hasTerminal) this.#leave()
    this.#writer.close()
    this.#program.destroy()
    input.pause() // else it would keep the process alive
  }

  #enter(): void {
    this.#hasTerminal = true
    this.#options.input.setRawMode(true)
    this.#prefix = ENTER
    this.redraw()
  }

  #leave(): void {
    this.#hasTerminal = false
    this.#writer.writeLast(LEAVE)
    this.#options.input.setRawMode(false)
  }

  /** A shell has had the terminal meanwhile, or whoever stopped us. */
  #resume(): void {
    if (this.#isClosed) return
    if (!this.#hasTerminal) return this.#enter()
    // Who stopped us did not ask: the mode may be the shell's, and what we hold for it is not.
    this.#options.input.setRawMode(false)
    this.#options.input.setRawMode(true)
    this.#prefix = HIDE_CURSOR
    this.redraw()
  }
}
