/** A client of a management console: says lines, and waits for the prompt behind each answer. */
import { connect, type Socket } from 'node:net'
import { until } from '#test/support/process.ts'

const PROMPT = '\nvde$ '

const isEvent = (line: string): boolean => /^3\d{3} /.test(line)

export class VdeConsole {
  readonly #socket: Socket
  #text = ''
  /** Lines of events, `3021 port/+ 01`, as far as the next answer came behind them. */
  readonly events: string[] = []

  private constructor(path: string) {
    this.#socket = connect(path)
    this.#socket.setEncoding('utf8').on('data', (text: string) => (this.#text += text))
  }

  /** When the console has greeted. */
  static async open(path: string): Promise<VdeConsole> {
    const console = new VdeConsole(path)
    await console.#answer('the greeting')
    return console
  }

  /** The answer, without the prompt and without events. */
  async ask(line: string): Promise<string> {
    this.#socket.write(`${line}\n`)
    return await this.#answer(`an answer to ${line}`)
  }

  close(): void {
    this.#socket.destroy()
  }

  async #answer(what: string): Promise<string> {
    const end = await until(what, () => this.#text.indexOf(PROMPT) + 1 || undefined)
    const lines = this.#text.slice(0, end - 1).split('\n')
    this.#text = this.#text.slice(end - 1 + PROMPT.length)
    this.events.push(...lines.filter(isEvent))
    return lines.filter((line) => !isEvent(line)).join('\n')
  }
}
