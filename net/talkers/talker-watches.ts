/**
 * Who sends most on bridges that somebody looks at. Counting costs every frame of the bridge, so it begins when it is
 * asked for and ends by itself when nobody has asked again in time: whoever looks on may die without a word.
 */
import type { Switch } from '#net/switch/switch.ts'
import { type TalkerReading, Talkers } from '#net/talkers/talkers.ts'

/** Of one bridge, told to one who asks. */
const MOST_TOLD = 128
const CHECK_MS = 1000

interface Watch {
  readonly observed: Switch
  readonly talkers: Talkers
  /** When it ends, in the time of `now`. */
  until: number
}

export class TalkerWatches {
  readonly #watches = new Map<string, Watch>()
  readonly #now: () => number
  /** While there are some. */
  #timer: NodeJS.Timeout | undefined

  /** @param now  monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Those since the first one asked. @param seconds  until it is over, unless somebody asks again */
  read(observed: Switch, seconds: number): TalkerReading[] {
    const { name } = observed
    let watch = this.#watches.get(name)
    if (!watch) {
      watch = { observed, talkers: new Talkers(), until: 0 }
      this.#watches.set(name, watch)
      observed.observe(watch.talkers)
      this.#timer ??= setInterval(() => this.#check(), CHECK_MS)
    }
    watch.until = Math.max(watch.until, this.#now() + seconds * 1000)
    return watch.talkers.read(MOST_TOLD)
  }

  close(): void {
    for (const watch of this.#watches.values()) this.#end(watch)
  }

  #check(): void {
    for (const watch of this.#watches.values()) if (watch.until < this.#now()) this.#end(watch)
  }

  #end({ observed, talkers }: Watch): void {
    observed.unobserve(talkers)
    this.#watches.delete(observed.name)
    if (this.#watches.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
