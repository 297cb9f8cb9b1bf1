/**
 * Port kind `pcap`: a network interface through libpcap, for systems without packet sockets. The package `cap` ends the
 * process that it runs in when the interface goes away, and so runs in one of its own, which is started again. Carries
 * wire frames only.
 */
import { atExit } from '#net/base/at-exit.ts'
import { reasonOf, SystemError } from '#net/base/errors.ts'
import { DROP_LINK_DOWN, DROP_QUEUE_FULL, type PortCounters } from '#net/port/counters.ts'
import { FrameAssembler } from '#net/port/frame-assembler.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import { type HostLink, type LinkState, openHostLink } from '#net/port/pcap/host-link.ts'
import { PcapProcess } from '#net/port/pcap/process.ts'
import type { FrameSink, Port } from '#net/port/port.ts'
import { wireFrames } from '#net/port/wire-count.ts'
import { TAG_LEN } from '#net/wire/ethernet.ts'

const FIRST_DELAY_MS = 200
const MAX_DELAY_MS = 5000
/** A process that lived this long has made good. */
const STEADY_MS = 10_000

const OBSTACLES: Partial<Record<LinkState, string>> = {
  down: 'interface is down',
  gone: 'interface is gone',
  other: 'interface was made anew',
}

export interface PcapOptions {
  /** Name of the interface, as libpcap knows it. */
  readonly interface: string
  /** MTU to raise the interface to, where that is possible; default: what frames of 9216 octets need. */
  readonly mtu?: number | undefined
  readonly counters: PortCounters
  readonly sink: FrameSink
  /** Takes one line for people: what was changed, what could not be. */
  readonly onWarning: (text: string) => void
}

export class PcapPort implements Port {
  readonly name: string
  readonly counters: PortCounters
  readonly superFrames = false
  maxFrame = 0
  up = false
  /** Settled by the first attempt to open the interface; rejects with SystemError ENOPKG, ENODEV, EPERM, with the remedy. */
  readonly opened: Promise<void>
  readonly #interface: string
  readonly #sink: FrameSink
  readonly #warn: (text: string) => void
  readonly #link: HostLink
  readonly #assembler: FrameAssembler
  readonly #unwatch: () => void
  readonly #forgetAtExit: () => void
  #state: LinkState = 'up'
  #process: PcapProcess | undefined
  #hasOpened = false
  #closed = false
  #startedAt = 0
  #delayMs = FIRST_DELAY_MS
  #timer: NodeJS.Timeout | undefined
  #isScheduled = false
  #warned = ''
  #first: { resolve: () => void; reject: (error: Error) => void } = { resolve: () => {}, reject: () => {} }
  readonly #onTurnEnd = (): void => {
    this.#isScheduled = false
    this.#process?.write()
  }

  constructor(options: PcapOptions) {
    this.name = `pcap:${options.interface}`
    this.#interface = options.interface
    this.counters = options.counters
    this.#sink = options.sink
    this.#warn = options.onWarning
    this.#link = openHostLink(options.interface, options.mtu, options.onWarning)
    this.#assembler = new FrameAssembler(options.counters, options.sink)
    // Whatever ends the process: an interface is left as it was found.
    this.#forgetAtExit = atExit(() => this.#link.restore())
    this.#unwatch = this.#link.watch(() => this.#followLink())
    this.opened = new Promise((resolve, reject) => {
      this.#first = { resolve, reject }
    })
    this.#start()
  }

  send(memory: FrameMemory, start: number, end: number): void {
    const sent = this.up && this.#process?.send(memory, start, end)
    if (sent !== true)
      this.counters.dropOut(this.up ? DROP_QUEUE_FULL : DROP_LINK_DOWN, wireFrames(memory.bytes, start, end))
  }

  flush(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#onTurnEnd)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.up = false
    this.#forgetAtExit()
    clearTimeout(this.#timer)
    this.#unwatch()
    if (this.#process) this.#process.kill()
    else this.#assembler.free()
    this.#link.restore()
  }

  #start(): void {
    const { state } = this.#link
    this.#state = state
    if (this.#hasOpened && (state === 'down' || state === 'gone')) return this.#startLater()
    try {
      this.#link.prepare()
      this.#state = this.#link.state
      this.maxFrame = this.#link.maxFrame
      this.#startedAt = performance.now()
      const link = { name: this.#interface, address: this.#link.address, limit: this.maxFrame - TAG_LEN }
      this.#process = new PcapProcess(link, this.counters, {
        onOpened: () => this.#opened(),
        onFrames: (chunk, start, end) => {
          if (!this.#closed) this.#assembler.append(chunk, start, end)
        },
        onEnd: (why, code) =>
          this.#ended(new SystemError(code, `cannot open ${this.#interface}: ${why}`), why),
      })
    } catch (error) {
      this.#state = this.#link.state
      this.#failed(error instanceof Error ? error : new Error(reasonOf(error)))
    }
  }

  #opened(): void {
    if (this.#closed) return
    this.#hasOpened = true
    this.#warned = ''
    this.#setUp(true, 'interface is up')
    this.#first.resolve()
  }

  /** @param why  the reason alone */
  #ended(error: Error, why: string): void {
    const lost = this.#process?.unaccounted ?? 0
    this.#process = undefined
    this.#assembler.reset()
    this.counters.dropOut(DROP_LINK_DOWN, lost)
    if (this.#closed) return this.#assembler.free()
    this.#state = this.#link.state
    const wasUp = this.up
    this.#setUp(false, OBSTACLES[this.#state] ?? why)
    if (performance.now() - this.#startedAt > STEADY_MS) this.#delayMs = FIRST_DELAY_MS
    if (wasUp) this.#startLater()
    else this.#failed(error)
  }

  /** An attempt to open the interface failed: the first is the caller's to judge, others are repeated. */
  #failed(error: Error): void {
    if (!this.#hasOpened) return this.#first.reject(error)
    const isTold = this.#state === 'down' || this.#state === 'gone'
    if (error.message !== this.#warned && !isTold) this.#warn(error.message)
    this.#warned = error.message
    this.#startLater()
  }

  #startLater(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#start(), this.#delayMs)
    this.#delayMs = Math.min(this.#delayMs * 2, MAX_DELAY_MS)
  }

  #followLink(): void {
    if (this.#closed || !this.#hasOpened) return
    const before = this.#state
    const state = this.#link.state
    this.#state = state
    if (this.#process === undefined) {
      if (state === before || state === 'down' || state === 'gone') return
      clearTimeout(this.#timer)
      this.#delayMs = FIRST_DELAY_MS
      this.#start()
    } else if (state === 'up') {
      const { maxFrame } = this.#link
      if (maxFrame === this.maxFrame) return
      this.maxFrame = maxFrame
      this.#process.setLimit(maxFrame - TAG_LEN)
    } else {
      this.#process.kill()
      this.#setUp(false, OBSTACLES[state] ?? state)
    }
  }

  #setUp(up: boolean, why: string): void {
    if (up === this.up) return
    this.up = up
    this.#sink.portState(up, why)
  }
}
