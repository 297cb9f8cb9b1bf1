/** The last things that happened in a fabric, for those who look on: what its log says as well. */

const MOST_EVENTS = 200
/** Characters of a text, most of which a peer may have chosen. */
const LONGEST = 500

export interface FabricEvent {
  /** Counts from 1. */
  readonly number: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly text: string
}

export class EventRing {
  readonly #events: FabricEvent[] = []
  #last = 0

  /** @param time  milliseconds since 1970 */
  add(text: string, time: number): void {
    this.#events.push({ number: ++this.#last, time, text: text.slice(0, LONGEST) })
    if (this.#events.length > MOST_EVENTS) this.#events.shift()
  }

  /** Those with higher numbers. */
  after(number: number): FabricEvent[] {
    return this.#events.filter((event) => event.number > number)
  }
}
