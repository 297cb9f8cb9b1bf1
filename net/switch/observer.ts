/** What looks on or decides at the ports of a switch. Nothing of it is there unless it is asked for. */
import type { FrameMemory } from '#net/port/frame-memory.ts'
import type { SwitchPort } from '#net/switch/switch-port.ts'

/** Directions, as counters have them: IN is what the switch received from the port. */
export const RECEIVED = 0
export const SENT = 1

/** Sees each frame of an entry: captures, mirrors. The frame is lent until the call returns. */
export interface FrameObserver {
  /** @param reason  DROP_* of a frame that goes no further, else -1 */
  frame(
    entry: SwitchPort,
    direction: number,
    reason: number,
    memory: FrameMemory,
    start: number,
    end: number,
  ): void
}

/** Decides whether the switch takes a frame of at least 14 octets that an entry received. */
export interface FrameGuard {
  /** @returns DROP_* when it does not, else -1 */
  admit(b: Uint8Array, start: number, end: number): number
  /** A second of the switch's clock has passed. */
  tick(): void
}

/** Takes the BPDUs that entries receive; they go no further then. */
export interface BpduSink {
  /** Frame `b[start, end)` of at least 14 octets, untagged, to the bridge group address; lent until the call returns. */
  bpdu(entry: SwitchPort, b: Uint8Array, start: number, end: number): void
}
