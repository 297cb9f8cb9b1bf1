/**
 * A capture of one port of a switch into a new file. Frames go through a ring that is written out every now and then, one
 * write at a time; what a slow disk leaves no room for is lost and counted, and the switch never waits.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { fileReasonOf, SystemError } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { Capture } from '#net/capture/capture.ts'
import type { Switch } from '#net/switch/switch.ts'

/** Packets that wait for the disk. */
const RING_OCTETS = 4 << 20
const TURN_MS = 20
/** Work of a turn, octets of about 1 ns: a quarter of the time. */
const WORK_OCTETS = 5_000_000
/** Octets that any frame has at most. */
const WHOLE = 262_144

export interface CaptureFileOptions {
  readonly observed: Switch
  readonly port: number
  /** Made with mode 0600; it must not exist. */
  readonly file: string
  /** The file takes no more, a full disk for example: told once, the capture has ended then. */
  readonly onFailure: (text: string) => void
}

export class CaptureFile {
  readonly #options: CaptureFileOptions
  readonly #handle: FileHandle
  readonly #capture: Capture
  readonly #timer: NodeJS.Timeout
  /** The write under way, and all before it. */
  #written: Promise<void> = Promise.resolve()
  #isWriting = false
  #failure = ''
  #closed: Promise<string> | undefined

  /** @throws SystemError when the file cannot be made */
  static async open(options: CaptureFileOptions): Promise<CaptureFile> {
    const { file } = options
    try {
      return new CaptureFile(options, await open(file, 'wx', 0o600))
    } catch (error) {
      const code = errnoOf(error)
      const why = code === 'EEXIST' ? 'it exists (choose another name)' : fileReasonOf(error)
      throw new SystemError(code, `cannot write ${file}: ${why}`, { cause: error })
    }
  }

  private constructor(options: CaptureFileOptions, handle: FileHandle) {
    this.#options = options
    this.#handle = handle
    const { observed, port } = options
    // A clock that is set meanwhile changes no order: time goes on from here.
    const started = Date.now() - performance.now()
    this.#capture = new Capture({
      name: observed.name,
      direction: 'both',
      onlyDrops: false,
      filter: null,
      snapLength: WHOLE,
      count: 0,
      octets: RING_OCTETS,
      clock: (timeUs) => {
        timeUs[0] = (started + performance.now()) * 1000
      },
      onChange: () => {}, // it is looked at in turns
    })
    const entry = observed.entry(port)
    if (entry !== null) this.#capture.introduce(entry)
    observed.observe(this.#capture, port)
    this.#capture.allow(WORK_OCTETS)
    this.#timer = setInterval(() => this.#turn(), TURN_MS)
    this.#timer.unref()
  }

  /** Ends the file; it is whole when this resolves, with what to tell people. */
  close(): Promise<string> {
    return (this.#closed ??= this.#end())
  }

  #turn(): void {
    this.#capture.allow(WORK_OCTETS)
    if (!this.#isWriting && this.#failure === '' && this.#capture.ring.waiting > 0)
      this.#written = this.#drain()
  }

  /** Writes what waits. It never throws: a failure ends the capture. */
  async #drain(): Promise<void> {
    const { ring } = this.#capture
    this.#isWriting = true
    try {
      while (ring.waiting > 0) {
        const { bytesWritten } = await this.#handle.write(ring.memory.bytes, ring.head, ring.waiting)
        ring.read(bytesWritten)
      }
    } catch (error) {
      this.#fail(error)
    }
    this.#isWriting = false
  }

  #fail(error: unknown): void {
    this.#failure = `cannot write ${this.#options.file}: ${fileReasonOf(error)}`
    this.#stop()
    this.#options.onFailure(this.#failure)
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#options.observed.unobserve(this.#capture)
    this.#capture.end()
  }

  async #end(): Promise<string> {
    this.#stop()
    await this.#written
    const { packets, lost } = this.#capture
    if (this.#failure === '') {
      await this.#drain()
      await this.#handle.write(this.#capture.statistics()).catch((error: unknown) => this.#fail(error))
    }
    await this.#handle.close().catch(() => {}) // what is written is written
    this.#capture.free()
    const summary = `${packets} packet${packets === 1 ? '' : 's'}, ${lost} lost`
    return this.#failure === '' ? summary : `${summary}; ${this.#failure}`
  }
}
