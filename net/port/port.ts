/**
 * The port seam: what joins a virtual switch to a network card, a TAP, a tunnel or a test.
 *
 * Receiving: the port hands each frame to its sink as `(memory, start, end)` and says `batchEnd` after the last frame
 * of a batch; frame memory is lent until `batchEnd` returns, and may be changed in place meanwhile. Sending: `send`
 * queues a frame by reference, `flush` sends what is queued; frame memory must stay unchanged from `send` until
 * `flush` returns. Both count in `counters`; nothing on this path throws.
 */
import type { FrameMemory } from '#net/port/frame-memory.ts'
import type { PortCounters } from '#net/port/counters.ts'

/** The far side of a port: a switch's port entry. */
export interface FrameSink {
  frame(memory: FrameMemory, start: number, end: number): void
  batchEnd(): void
  /** The port went up or down; `why` is for people. */
  portState(up: boolean, why: string): void
}

export interface Port {
  /** `nic:eth1`, `tap:lab0`, `tunnel:ann@site`: kind and argument. */
  readonly name: string
  readonly counters: PortCounters
  /** Takes super-frames and unfinished checksums; if not, the switch hands it finished wire frames only. */
  readonly superFrames: boolean
  /** Longest wire frame in octets, tags included, without the FCS. */
  readonly maxFrame: number
  readonly up: boolean
  send(memory: FrameMemory, start: number, end: number): void
  flush(): void
  /** Ends the port: descriptors closed, settings restored. Nothing is sent to the sink afterwards. */
  close(): void
}

/** Largest wire frame that the product carries, octets with tags and without the FCS. */
export const MAX_WIRE_FRAME = 9216
/** Largest super-frame: an IPv4 packet of 65535 octets behind 14 octets of Ethernet and four tags. */
export const MAX_SUPER_FRAME = 65535 + 14 + 16
