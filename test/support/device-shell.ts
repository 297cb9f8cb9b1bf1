/** The login shell of a device's console, which a test types at as its user does: over the console's socket. */
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { DEVICE_CONSOLE_SOCKET, deviceDirectory } from '#hub/base/device-paths.ts'
import { type Hello, RECORD_INPUT, RECORD_OUTPUT, RecordReader, records } from '#hub/console/records.ts'
import type { Hub } from '#test/support/hub.ts'

const ANSWER_MS = 20_000
/** Terminal control sequences, ECMA-48 5.4. */
const SEQUENCES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?!]*[A-Za-z]`, 'g')

export class DeviceShell {
  readonly #socket: Socket
  readonly #reader = new RecordReader()
  #text = ''
  #count = 0
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (piece: Buffer) => {
      this.#reader.push(piece)
      for (let record = this.#reader.next(); record; record = this.#reader.next())
        if (record.type === RECORD_OUTPUT) this.#text += record.body.toString()
      this.#wake()
    })
    socket.on('close', () => this.#wake())
  }

  /** @param number  the device's place in the topology, from 1 */
  static async open(hub: Hub, topology: string, number: number): Promise<DeviceShell> {
    const socket = connect(join(hub.data, deviceDirectory(topology, number), DEVICE_CONSOLE_SOCKET))
    const hello: Hello = { viewer: 'a test', terminal: null, typed: false }
    socket.write(`${JSON.stringify(hello)}\n`)
    const shell = new DeviceShell(socket)
    await shell.#quieten()
    return shell
  }

  /** Waits for a new login shell, which shows its prompt. */
  async login(): Promise<void> {
    const from = this.#text.length
    const deadline = performance.now() + ANSWER_MS
    while (!/root@\S+# /.test(this.#text.slice(from))) {
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`the device has no new login shell:\n${this.#text.slice(from)}`)
      await this.#change(left)
    }
    await this.#quieten()
  }

  type(text: string): void {
    this.#socket.write(records(RECORD_INPUT, Buffer.from(text)))
  }

  /** What a command shows, both outputs together, and its exit code at the end: `...\n0`. */
  async run(command: string, deadlineMs = ANSWER_MS): Promise<string> {
    const mark = `mark-${++this.#count}-`
    const from = this.#text.length
    // The marks are not to be found in what was typed.
    this.type(`echo "mark-""${this.#count}-begin"; ${command}\necho "$? mark-""${this.#count}-end"\n`)
    const deadline = performance.now() + deadlineMs
    for (;;) {
      const text = this.#text.slice(from).replaceAll(SEQUENCES, '').replaceAll('\r', '')
      const end = text.indexOf(`${mark}end`)
      if (end >= 0) return text.slice(text.indexOf(`${mark}begin\n`) + mark.length + 6, end).trim()
      const left = deadline - performance.now()
      if (left <= 0 || this.#socket.destroyed)
        throw new Error(`the device has no end of ${JSON.stringify(command)}:\n${text}`)
      await this.#change(left)
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  async #quieten(): Promise<void> {
    this.type(
      'PS1= PS2= PROMPT_COMMAND=; unset HISTFILE; bind "set enable-bracketed-paste off"; stty -echo\n',
    )
    await this.run('true')
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
