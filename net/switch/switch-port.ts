/**
 * One numbered entry of a switch. A `Port` is connected to it and may come and go; number, counters, mode and
 * description stay. The port is opened with the entry's `counters`, and with the entry as its sink.
 */
import { type CounterReading, DROP_LINK_DOWN, DROP_LOOP, PortCounters } from '#net/port/counters.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import type { FrameSink, Port } from '#net/port/port.ts'
import { wireFrames } from '#net/port/wire-count.ts'
import type { FrameLink, LinkEnd } from '#net/switch/frame-link.ts'
import { type FrameGuard, type FrameObserver, RECEIVED } from '#net/switch/observer.ts'
import { type PortMode, vlanColumns } from '#net/switch/port-mode.ts'
import { PortVlans } from '#net/switch/port-vlans.ts'
import type { PortHold } from '#net/switch/port-hold.ts'

/** What an entry asks of its switch. */
export interface Forwarder {
  forward(from: SwitchPort, memory: FrameMemory, start: number, end: number): void
  /** Queues a wire frame in an entry's port, past the link before it. */
  deliver(to: SwitchPort, memory: FrameMemory, start: number, end: number): void
  flushPorts(): void
  /** The entry's port went up, down or away. */
  portChanged(entry: SwitchPort, why: string): void
}

/** A copy of an entry for people and machines. */
export interface SwitchPortReading {
  readonly number: number
  /** Of the connected port: `nic:eth1`; empty when there is none, and `maxFrame` is then 0. */
  readonly name: string
  readonly description: string
  readonly up: boolean
  readonly maxFrame: number
  readonly mode: PortMode
  /** The report's columns: see `vlanColumns`. */
  readonly untaggedVlan: number
  readonly qnq: number
  readonly strict: boolean
  /** How many addresses are learnt on it. */
  readonly addresses: number
  /** Set while loop protection keeps it shut: the other port of the loop, and for how long. */
  readonly loop: { readonly port: number; readonly holdSeconds: number } | null
  readonly counters: CounterReading
}

export class SwitchPort implements FrameSink {
  readonly number: number
  readonly counters = new PortCounters()
  description = ''
  /** Whose it is keeps it, though nothing is connected now: an interface that is away, an agent that may come back. */
  isReserved = false
  /** The connected port. */
  port: Port | null = null
  mode: PortMode
  vlans: PortVlans
  guard: FrameGuard | null = null
  /** Of frames received, whole as they came, and sent, in the form in which they leave. */
  observer: FrameObserver | null = null
  /** What the spanning tree lets through: the switch's to set, as the next two. */
  stpState: 'discarding' | 'learning' | 'forwarding' = 'forwarding'
  /** The last time that loop protection shut it; over when its time is. */
  hold: PortHold | null = null
  /** DROP_* of every frame from here, and nothing is sent here; -1: open. */
  blocked = -1
  /** What frames from the port, and frames to it, go through first; null: nothing. */
  inLink: FrameLink | null = null
  outLink: FrameLink | null = null
  private linkDown = false
  /** Something is queued in the port: the switch's to set. */
  isQueued = false
  private readonly forwarder: Forwarder

  constructor(forwarder: Forwarder, number: number, mode: PortMode) {
    this.forwarder = forwarder
    this.number = number
    this.mode = mode
    this.vlans = new PortVlans(mode)
  }

  /** `Port 0001` */
  get label(): string {
    return `Port ${String(this.number).padStart(4, '0')}`
  }

  /** A port is connected and up, and so is the link. */
  get isUp(): boolean {
    return this.port !== null && this.port.up && !this.linkDown
  }

  get isLinkDown(): boolean {
    return this.linkDown
  }

  /** Takes the link down, so that nothing passes, or up again. The port knows nothing of it. */
  setLinkDown(down: boolean): void {
    if (down === this.linkDown) return
    this.linkDown = down
    this.forwarder.portChanged(this, down ? 'link set down' : 'link set up')
  }

  /** Puts a link, whose end is `linkEnd`, before the port, or takes it away. The one before delivers and is closed. */
  setLink(direction: number, link: FrameLink | null): void {
    const before = direction === RECEIVED ? this.inLink : this.outLink
    if (direction === RECEIVED) this.inLink = link
    else this.outLink = link
    before?.close()
  }

  /** Where a link of this direction leads. */
  linkEnd(direction: number): LinkEnd {
    const isIn = direction === RECEIVED
    return {
      deliver: (memory, start, end) => {
        if (isIn) this.arrive(memory, start, end)
        else this.forwarder.deliver(this, memory, start, end)
      },
      flush: () => this.forwarder.flushPorts(),
      drop: (reason, memory, start, end) => {
        if (this.observer !== null) this.observer.frame(this, direction, reason, memory, start, end)
        if (isIn) this.counters.dropIn(reason, 1)
        else this.counters.dropOut(reason, 1)
      },
    }
  }

  /** Connects a port that was opened with this entry as its sink; a port that is there is put out, not closed. */
  connect(port: Port): void {
    if (this.port !== null && this.port !== port) this.disconnect(`replaced by ${port.name}`)
    this.port = port
    this.forwarder.portChanged(this, `${port.name} connected`)
  }

  /** Lets the port go, without closing it. @returns it, null when there was none. */
  disconnect(why = 'disconnected'): Port | null {
    const port = this.port
    if (port === null) return null
    if (this.isQueued) port.flush()
    this.port = null
    this.forwarder.portChanged(this, why)
    return port
  }

  frame(memory: FrameMemory, start: number, end: number): void {
    if (this.inLink === null) this.arrive(memory, start, end)
    else this.inLink.enter(memory, start, end)
  }

  /** A frame has come through the link. */
  private arrive(memory: FrameMemory, start: number, end: number): void {
    // A port that was let go may still have frames in hand, and a link that is down may have them under way.
    if (this.port === null || this.linkDown)
      this.counters.dropIn(DROP_LINK_DOWN, wireFrames(memory.bytes, start, end))
    else this.forwarder.forward(this, memory, start, end)
  }

  batchEnd(): void {
    this.forwarder.flushPorts()
  }

  portState(_up: boolean, why: string): void {
    this.forwarder.portChanged(this, why)
  }

  /** @param addresses  how many are learnt on it */
  read(addresses: number): SwitchPortReading {
    return {
      number: this.number,
      name: this.port === null ? '' : this.port.name,
      description: this.description,
      up: this.isUp,
      maxFrame: this.port === null ? 0 : this.port.maxFrame,
      mode: this.mode,
      ...vlanColumns(this.mode),
      addresses,
      loop:
        this.blocked === DROP_LOOP && this.hold !== null
          ? { port: this.hold.other, holdSeconds: this.hold.holdMs / 1000 }
          : null,
      counters: this.counters.read(),
    }
  }
}
