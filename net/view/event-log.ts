/** The last things that happened, oldest first; older ones are forgotten. */
import type { ViewEvent } from '#net/view/source.ts'
import { plainText } from '#net/view/text.ts'

const KEPT = 500

export class EventLog {
  #events: ViewEvent[] = []

  get events(): readonly ViewEvent[] {
    return this.#events
  }

  /** Its text is made fit for a terminal. */
  add({ time, text }: ViewEvent): void {
    this.#events = [...this.#events.slice(1 - KEPT), { time, text: plainText(text) }]
  }
}
