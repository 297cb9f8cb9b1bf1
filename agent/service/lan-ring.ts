/** The last frames of the LAN's port, kept in memory for `hconnect capture`; and those who read them. */
import type { Socket } from 'node:net'

import { RingCapture } from '#net/capture/capture.ts'
import { KeepReader, KeepRing } from '#net/capture/keep-ring.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'

/** Work that is done for it in each turn, octets of about 1 ns: a quarter of the time. What is more is lost, and told. */
const WORK_OCTETS = 25_000_000
const WORK_TURN_MS = 100
const SNAP_OCTETS = 262_144
/** Copied for a reader at once. */
const MOST_AT_ONCE = 1 << 18

export class LanRing {
  readonly capture: RingCapture<KeepRing>
  readonly #readers = new Set<RingReading>()
  readonly #timer: NodeJS.Timeout
  #isWoken = false
  /** The time is that of this turn of the event loop. */
  #isTimely = false

  /** @param name  of the interface in the file @param octets  of memory */
  constructor(name: string, octets: number) {
    // A clock that is set meanwhile changes no order: time goes on from here.
    const started = Date.now() - performance.now()
    this.capture = new RingCapture(
      {
        name,
        direction: 'both',
        onlyDrops: false,
        filter: null,
        snapLength: SNAP_OCTETS,
        count: 0,
        // Frames that are read in one turn have one time: they came before it.
        clock: (timeUs) => {
          if (!this.#isTimely) timeUs[0] = this.#time(started)
        },
        onChange: () => this.#wake(),
      },
      new KeepRing(FrameMemory.native(octets)),
    )
    this.capture.allow(WORK_OCTETS)
    this.#timer = setInterval(() => this.capture.allow(WORK_OCTETS), WORK_TURN_MS).unref()
  }

  get readerCount(): number {
    return this.#readers.size
  }

  /**
   * Gives the ring and what comes after it to a connected socket, until its other side ends or goes.
   * @param once  only what is there now
   */
  serve(socket: Socket, once: boolean): void {
    const reading = new RingReading(this.capture, socket, once)
    this.#readers.add(reading)
    socket.on('close', () => this.#readers.delete(reading))
    reading.pump()
  }

  close(): void {
    clearInterval(this.#timer)
    this.capture.end()
    for (const reading of this.#readers) reading.close()
    this.capture.free()
  }

  /** After the frames of this turn. Called per frame. */
  #wake(): void {
    if (this.#isWoken || this.#readers.size === 0) return
    this.#isWoken = true
    setImmediate(this.#pump)
  }

  /** Microseconds since 1970. */
  #time(started: number): number {
    this.#isTimely = true
    setImmediate(this.#nextTurn)
    return (started + performance.now()) * 1000
  }

  readonly #nextTurn = (): void => {
    this.#isTimely = false
  }

  readonly #pump = (): void => {
    this.#isWoken = false
    for (const reading of this.#readers) reading.pump()
  }
}

class RingReading {
  readonly #capture: RingCapture<KeepRing>
  readonly #socket: Socket
  readonly #reader: KeepReader
  /** Number of the first block that it does not get; Infinity while it goes on. */
  #until: number
  #isOver = false

  constructor(capture: RingCapture<KeepRing>, socket: Socket, once: boolean) {
    this.#capture = capture
    this.#socket = socket
    this.#reader = new KeepReader(capture.ring)
    this.#until = once ? capture.ring.nextBlock : Infinity
    socket.on('drain', () => this.pump())
    socket.on('end', () => this.end())
  }

  /** What is there now is the end. */
  end(): void {
    this.#until = Math.min(this.#until, this.#capture.ring.nextBlock)
    this.pump()
  }

  /** The ring's memory goes: who has not read all of it loses the rest. */
  close(): void {
    this.end()
    if (!this.#isOver) this.#socket.destroy()
    this.#isOver = true
  }

  pump(): void {
    const socket = this.#socket
    while (!this.#isOver && !socket.writableNeedDrain && this.#reader.hasMore(this.#until))
      socket.write(this.#reader.take(MOST_AT_ONCE, this.#until))
    if (this.#isOver || this.#until === Infinity || this.#reader.hasMore(this.#until)) return
    this.#isOver = true
    socket.end(this.#capture.statistics(this.#reader.missed))
  }
}
