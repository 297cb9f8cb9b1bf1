/**
 * A network interface that is bridged and carries the tunnel as well. Its port keeps the tunnel's own connections out of
 * the bridge: from the LAN by a filter in the kernel, towards the LAN, should they come back, by a look at each frame.
 */
import { type Connection, ConnectionMatcher } from '#net/port/nic/connection-matcher.ts'
import { DROP_TUNNEL, type PortCounters } from '#net/port/counters.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import { type Nic, type NicOptions, openNic } from '#net/port/nic/nic.ts'
import { packetFilter } from '#net/port/nic/packet-filter.ts'
import type { Port } from '#net/port/port.ts'
import { wireFrames } from '#net/port/wire-count.ts'

/** @throws SystemError as `openNic` does, and ENOMEM */
export function openUplink(options: NicOptions): UplinkPort {
  const nic = openNic({ ...options, isUplink: true })
  try {
    return new UplinkPort(nic)
  } catch (error) {
    nic.close()
    throw error
  }
}

export class UplinkPort implements Port {
  readonly name: string
  readonly counters: PortCounters
  readonly superFrames: boolean
  readonly #nic: Nic
  readonly #matcher = new ConnectionMatcher()

  /** @throws SystemError ENOMEM */
  constructor(nic: Nic) {
    this.name = nic.name
    this.counters = nic.counters
    this.superFrames = nic.superFrames
    this.#nic = nic
    this.keepOut([])
  }

  get called(): string {
    return this.#nic.called
  }

  get maxFrame(): number {
    return this.#nic.maxFrame
  }

  get up(): boolean {
    return this.#nic.up
  }

  /** From now on these connections are kept out, and no others. @throws SystemError ENOMEM, and all stays as it was */
  keepOut(connections: readonly Connection[]): void {
    this.#nic.setFilter(packetFilter(connections))
    this.#matcher.connections = connections
  }

  send(memory: FrameMemory, start: number, end: number): void {
    const { bytes } = memory
    if (this.#matcher.matches(bytes, start, end))
      this.counters.dropOut(DROP_TUNNEL, wireFrames(bytes, start, end))
    else this.#nic.send(memory, start, end)
  }

  flush(): void {
    this.#nic.flush()
  }

  close(): void {
    this.#nic.close()
  }
}
