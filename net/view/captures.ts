/** Captures that run, one for each port at most, from key to key. */
import type { PortRow } from '#net/view/port-track.ts'
import { localTime } from '#net/view/quantity.ts'
import type { ViewSource } from '#net/view/source.ts'
import { plainText } from '#net/view/text.ts'

/** A capture that does not end by then is left to the end of the process. */
const END_MS = 2000

interface Running {
  readonly file: string
  readonly stop: () => Promise<string>
}

export class Captures {
  readonly #source: ViewSource
  /** By the port's key. */
  readonly #running = new Map<string, Running>()

  constructor(source: ViewSource) {
    this.#source = source
  }

  isRunning({ key }: PortRow): boolean {
    return this.#running.has(key)
  }

  /** Files by the port's key, fit for a terminal. */
  get files(): ReadonlyMap<string, string> {
    return new Map([...this.#running].map(([key, { file }]) => [key, plainText(file)]))
  }

  /** @returns what to say. @throws Error with the reason */
  async start({ key, bridge, number, name }: PortRow, file: string): Promise<string> {
    const stop = await this.#source.capture?.(bridge, number, file)
    if (stop === undefined) return 'cannot capture ports here'
    if (this.#running.has(key)) {
      await stop()
      return `${name} is captured already`
    }
    this.#running.set(key, { file, stop })
    return `capturing ${name} to ${file}; c ends it`
  }

  /** @returns what to say. @throws Error with the reason */
  async stop({ key, name }: PortRow): Promise<string> {
    const running = this.#running.get(key)
    this.#running.delete(key)
    const said = await running?.stop()
    return `capture of ${name} ended: ${said ?? ''}`
  }

  /** Ends all of them. */
  async end(): Promise<void> {
    const running = [...this.#running.values()]
    this.#running.clear()
    if (running.length === 0) return
    const deadline = new Promise((resolve) => setTimeout(resolve, END_MS).unref())
    await Promise.race([Promise.allSettled(running.map(({ stop }) => stop())), deadline])
  }
}

/** `nic-eth1-2026-11-27-120304.pcapng` */
export function captureFile({ name }: PortRow, date: Date): string {
  const { day, time } = localTime(date)
  return `${name.replaceAll(/[^\w.]+/g, '-')}-${day}-${time.replaceAll(':', '')}.pcapng`
}
