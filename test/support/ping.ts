/** A ping that goes on in the background; a test asks which answers were lost while it did something. */
import type { Running, SpawnOptions } from '#test/support/process.ts'

const REPLY = /icmp_seq=(\d+) ttl=/

/** A namespace, a device. */
interface Machine {
  spawn(name: string, args: readonly string[], options?: SpawnOptions): Running
  reaches(address: string): Promise<void>
}

export class Ping {
  readonly #ping: Running

  private constructor(ping: Running) {
    this.#ping = ping
  }

  /** Resolves with the first answer. */
  static async start(from: Machine, address: string, intervalSeconds = 0.05): Promise<Ping> {
    await from.reaches(address)
    const ping = new Ping(from.spawn('ping', ['-n', '-i', String(intervalSeconds), address]))
    await ping.#ping.line(REPLY)
    return ping
  }

  /** Waits for an answer to a request that is sent later than now, then gives the requests that have none. */
  async lost(): Promise<number[]> {
    await this.answered()
    const seen = new Set(this.#seen())
    const last = Math.max(...seen)
    return Array.from({ length: last }, (_, i) => i + 1).filter((n) => !seen.has(n))
  }

  /** Waits until something that was sent after this call is answered. */
  async answered(deadlineMs = 20_000): Promise<void> {
    const from = this.#ping.lines.length
    // The first ones may have been under way.
    await this.#ping.line(REPLY, { from, deadlineMs })
    await this.#ping.line(REPLY, { from: this.#ping.lines.length, deadlineMs })
  }

  stop(): void {
    this.#ping.child.kill('SIGKILL')
  }

  #seen(): number[] {
    return this.#ping.lines.map((line) => Number(REPLY.exec(line)?.[1] ?? 0)).filter((n) => n > 0)
  }
}
