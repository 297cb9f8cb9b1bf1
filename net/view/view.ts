/** The full-screen view: asks a source for what there is, shows it on a terminal, does what keys say. */
import type { ReadStream } from 'node:tty'

import { reasonOf } from '#net/base/errors.ts'
import { Captures, captureFile } from '#net/view/captures.ts'
import type { Action } from '#net/view/action.ts'
import { Controls } from '#net/view/controls.ts'
import { EventLog } from '#net/view/event-log.ts'
import { glyphsOf } from '#net/view/glyphs.ts'
import type { Key } from '#net/view/key.ts'
import { layout } from '#net/view/layout.ts'
import { ViewModel } from '#net/view/model.ts'
import type { PortRow } from '#net/view/port-track.ts'
import type { Palette } from '#net/view/paint.ts'
import { Screen, type TerminalOutput } from '#net/view/screen.ts'
import type { ViewSource } from '#net/view/source.ts'
import { settleTerminal } from '#net/view/terminal.ts'
import { plainText } from '#net/view/text.ts'

const READ_MS = 1000
export interface ViewOptions {
  readonly input: ReadStream
  readonly output: TerminalOutput
  /** TERM, NO_COLOR, COLORTERM, LC_ALL, LC_CTYPE, LANG */
  readonly env: NodeJS.ProcessEnv
  /** Ends the view. Signals that end the process are the caller's: it aborts this. */
  readonly signal: AbortSignal
}

/**
 * Shows the view until the user quits, `signal` aborts or the terminal goes away. The terminal is then as before; it is too
 * when the process exits or throws meanwhile.
 * @throws ConfigError when there is no terminal, or it cannot show the view
 */
export async function runView(source: ViewSource, options: ViewOptions): Promise<void> {
  const palette = settleTerminal(options, options.env)
  if (options.signal.aborted) return
  const view = new View(source, options, palette)
  await view.run()
}

class View {
  readonly #source: ViewSource
  readonly #options: ViewOptions
  readonly #palette: Palette
  readonly #model = new ViewModel()
  readonly #events = new EventLog()
  readonly #controls: Controls
  readonly #captures: Captures
  #screen: Screen | undefined
  #isReading = false
  #error = ''
  #frozenAt = 0
  #countingSince: number | undefined
  #end: () => void = () => {}

  constructor(source: ViewSource, options: ViewOptions, palette: Palette) {
    this.#source = source
    this.#options = options
    this.#palette = palette
    this.#captures = new Captures(source)
    this.#controls = new Controls({
      capture: source.capture !== undefined,
      impair: source.impair !== undefined,
      isCapturing: (port) => this.#captures.isRunning(port),
      captureFile: (port) => captureFile(port, new Date()),
    })
  }

  async run(): Promise<void> {
    const { input, output, env, signal } = this.#options
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    this.#source.onEvent((event) => this.#events.add(event))
    const screen = await Screen.open({
      input,
      output,
      env,
      palette: this.#palette,
      onKey: (key) => this.#press(key),
      onRedraw: () => this.#draw(),
      onGone: () => this.#end(),
    })
    this.#screen = screen
    const timer = setInterval(() => this.#tick(), READ_MS)
    try {
      this.#tick()
      await ended
    } finally {
      clearInterval(timer)
      screen.close()
      await this.#captures.end()
    }
  }

  #tick(): void {
    if (this.#controls.isFrozen || this.#isReading) this.#draw()
    else void this.#read()
  }

  async #read(): Promise<void> {
    this.#isReading = true
    try {
      this.#model.add(await this.#source.read())
      this.#error = ''
    } catch (error) {
      const reason = plainText(reasonOf(error))
      if (reason !== this.#error) {
        this.#controls.message = '' // it would hide this
        this.#say(`cannot read: ${reason}`)
      }
      this.#error = reason
    } finally {
      this.#isReading = false
    }
    this.#draw()
  }

  #draw(): void {
    const screen = this.#screen
    if (screen === undefined) return
    const scene = {
      title: plainText(this.#source.title),
      reading: this.#model.reading,
      controls: this.#controls,
      events: this.#events.events,
      error: this.#error,
      now: this.#controls.isFrozen ? this.#frozenAt : Date.now(),
      countingSince: this.#countingSince,
      captures: this.#captures.files,
      glyphs: glyphsOf(this.#palette.isUtf8),
    }
    screen.draw(layout(scene, screen.width, screen.height))
  }

  #press(key: Key): void {
    const wasFrozen = this.#controls.isFrozen
    const action = this.#controls.press(key, this.#model.reading)
    if (!wasFrozen && this.#controls.isFrozen) this.#frozenAt = Date.now()
    if (action !== undefined) this.#act(action)
    this.#draw()
  }

  #act(action: Action): void {
    switch (action.do) {
      case 'quit':
        return this.#end()
      case 'reset':
        this.#model.reset()
        this.#countingSince = Date.now()
        return
      case 'redraw':
        return this.#screen?.redraw()
      case 'suspend':
        return this.#screen?.suspend()
      case 'thaw':
        return this.#tick()
      case 'capture':
        return this.#run(`cannot capture ${action.port.name}`, this.#captures.start(action.port, action.file))
      case 'stop-capture':
        return this.#run(`capture of ${action.port.name}`, this.#captures.stop(action.port))
      case 'impair':
        return this.#run(`cannot impair ${action.port.name}`, this.#impair(action.port, action.text))
    }
  }

  /** Says how something ended that a key began. */
  #run(subject: string, work: Promise<string>): void {
    work
      .catch((error: unknown) => `${subject}: ${reasonOf(error)}`)
      .then((said) => {
        this.#controls.message = plainText(said)
        this.#say(said)
        this.#draw()
      })
      .catch(() => {}) // neither line above throws
  }

  async #impair({ bridge, number, name }: PortRow, text: string): Promise<string> {
    await this.#source.impair?.(bridge, number, text)
    return text === '' ? `${name} is no longer impaired` : `${name} is impaired: ${text}`
  }

  #say(text: string): void {
    this.#events.add({ time: Date.now(), text })
  }
}
