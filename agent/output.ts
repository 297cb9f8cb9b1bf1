/** Where hconnect writes: reports and their JSON on stdout, everything else as lines on stderr. */
import { ctime, formatEventJson } from '#agent/report.ts'
import { printable } from '#net/base/printable.ts'

export class Output {
  readonly json: boolean
  /** Called once when nobody reads stdout any more (`| head`). */
  onClosed: () => void = () => {}
  /** Hears every line of the log. */
  onLog: (text: string) => void = () => {}
  /** A full-screen view has the terminal: the log stays away from it. */
  hasScreen = false
  #closed = false

  constructor(json: boolean) {
    this.json = json
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      // A terminal that has gone away answers EIO.
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
      if (this.#closed) return
      this.#closed = true
      this.onClosed()
    })
    process.stderr.on('error', () => {}) // nobody left to tell
  }

  /** For the reader of the report. */
  text(text: string): void {
    if (!this.json) this.raw(text)
  }

  /** For programs, in place of text. */
  event(event: string, fields: object = {}): void {
    if (this.json) this.raw(formatEventJson(new Date(), event, fields))
  }

  raw(text: string): void {
    if (!this.#closed) process.stdout.write(text)
  }

  /** One line with the time on stderr. */
  readonly log = (text: string): void => {
    this.onLog(text)
    if (this.hasScreen && process.stderr.isTTY) return
    process.stderr.write(`hconnect: ${ctime(new Date())}: ${shown(text)}\n`)
  }

  /** The last line: why the program ends. */
  failure(message: string, exitCode: number): void {
    process.stderr.write(`hconnect: ${shown(message)}\n`)
    this.event('error', { message, exitCode })
  }
}

/** Some of it is said by others: no line of it has what a terminal obeys. */
const shown = (text: string): string => text.split('\n').map(printable).join('\n')
