/**
 * A numbered port of a bridge with the VDE clients that are plugged into it: each gets a copy of every frame, and what one
 * sends goes to the switch, not to the others.
 */
import type { PortCounters } from '#net/port/counters.ts'
import type { FrameMemory } from '#net/port/frame-memory.ts'
import type { Port } from '#net/port/port.ts'
import { MAX_VDE_FRAME, type VdePort } from '#net/port/vde/vde-port.ts'

export class NumberedPort implements Port {
  readonly name: string
  readonly counters: PortCounters
  readonly superFrames = false
  readonly maxFrame = MAX_VDE_FRAME
  readonly #plugs: VdePort[] = []

  constructor(name: string, counters: PortCounters) {
    this.name = name
    this.counters = counters
  }

  get up(): boolean {
    for (let i = 0; i < this.#plugs.length; i++) if (this.#plugs[i]?.up === true) return true
    return false
  }

  add(plug: VdePort): void {
    this.#plugs.push(plug)
  }

  remove(plug: VdePort): void {
    this.#plugs.splice(this.#plugs.indexOf(plug), 1)
  }

  send(memory: FrameMemory, start: number, end: number): void {
    for (let i = 0; i < this.#plugs.length; i++) this.#plugs[i]?.send(memory, start, end)
  }

  flush(): void {
    for (let i = 0; i < this.#plugs.length; i++) this.#plugs[i]?.flush()
  }

  close(): void {
    for (const plug of this.#plugs.splice(0)) plug.close()
  }
}
