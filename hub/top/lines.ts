/** A hub as JSON lines, one for each reading, for programs. */
import { reasonOf } from '#net/base/errors.ts'
import type { Snapshot, ViewEvent, ViewSource } from '#net/view/source.ts'

export interface LinesOptions {
  readonly intervalMs: number
  /** Lines after which it ends. */
  readonly count: number
  readonly stdout: NodeJS.WritableStream
  /** Told once of each outage. */
  readonly onAway: (reason: string) => void
}

/** Prints until `count` lines are out or nobody reads them. An interval in which the hub does not answer has no line. */
export async function printLines(source: ViewSource, first: Snapshot, options: LinesOptions): Promise<void> {
  const { intervalMs, count, stdout, onAway } = options
  let events: ViewEvent[] = []
  source.onEvent((event) => events.push(event))
  let snapshot: Snapshot | undefined = first
  let away = ''
  let isUnread = false
  stdout.on('error', () => {
    isUnread = true
  })
  for (let printed = 0, next = performance.now(); ;) {
    if (snapshot !== undefined) {
      const { talkers } = snapshot
      const time = new Date().toISOString()
      const links = snapshot.links.map(({ name, address, state, since, roundTripMs, reconnects, reason }) => {
        return { name, address, state, since, roundTripMs, reconnects, reason }
      })
      const bridges = snapshot.bridges.map(({ name, ports }) => ({ name, ports }))
      stdout.write(`${JSON.stringify({ time, links, bridges, talkers, events })}\n`)
      events = []
      if (++printed >= count) return
    }
    next = Math.max(next + intervalMs, performance.now())
    await new Promise((resolve) => setTimeout(resolve, next - performance.now()))
    if (isUnread) return
    snapshot = await source.read().catch((error: unknown) => {
      const reason = reasonOf(error)
      if (reason !== away) onAway(reason)
      away = reason
      return undefined
    })
    if (snapshot !== undefined) away = ''
  }
}
