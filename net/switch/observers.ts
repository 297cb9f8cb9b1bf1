/** Who looks on at the entries of a switch: those that are there, and those that come later. */
import type { FrameMemory } from '#net/port/frame-memory.ts'
import type { FrameObserver } from '#net/switch/observer.ts'
import type { SwitchPort } from '#net/switch/switch-port.ts'

interface Watch {
  readonly observer: FrameObserver
  /** Number of an entry; undefined: all. */
  readonly port: number | undefined
}

export class Observers {
  private watches: Watch[] = []

  add(observer: FrameObserver, port: number | undefined): void {
    this.watches.push({ observer, port })
  }

  remove(observer: FrameObserver): void {
    this.watches = this.watches.filter((watch) => watch.observer !== observer)
  }

  /** What an entry's `observer` is to be. */
  of(number: number): FrameObserver | null {
    const own = this.watches.filter(({ port }) => port === undefined || port === number)
    const [first, second] = own.map(({ observer }) => observer)
    if (first === undefined) return null
    return second === undefined ? first : new Several(own.map(({ observer }) => observer))
  }
}

class Several implements FrameObserver {
  private readonly observers: readonly FrameObserver[]

  constructor(observers: readonly FrameObserver[]) {
    this.observers = observers
  }

  frame(
    entry: SwitchPort,
    direction: number,
    reason: number,
    memory: FrameMemory,
    start: number,
    end: number,
  ): void {
    for (let i = 0; i < this.observers.length; i++) {
      const observer = this.observers[i]
      if (observer !== undefined) observer.frame(entry, direction, reason, memory, start, end)
    }
  }
}
