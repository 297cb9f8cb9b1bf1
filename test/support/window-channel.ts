/** A channel as ssh2 makes it, and the connection under it, without SSH: a test says what the far side takes. */
import net from 'node:net'
import { Duplex } from 'node:stream'

/** Takes what there is a window for, and keeps the rest by reference. */
export class WindowChannel extends Duplex {
  /** What the far side has got. */
  readonly sent: Buffer[] = []
  readonly stderr = new Duplex({ read: () => {} })
  #window = 0
  #kept: Buffer | undefined
  #done: () => void = () => {}

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#kept = chunk
    this.#done = done
    this.#send()
  }

  /** The far side takes as many octets more. */
  open(octets: number): void {
    this.#window += octets
    this.#send()
  }

  /** As while keys are exchanged, for which ssh2 keeps so many packets; undefined: they are there. */
  exchangeKeys(kept: number | undefined): void {
    const queue = kept === undefined ? undefined : Array.from({ length: kept })
    Reflect.set(this, '_client', { _protocol: { _queue: queue } })
  }

  #send(): void {
    const kept = this.#kept
    if (!kept) return
    const taken = Math.min(this.#window, kept.length)
    this.#window -= taken
    this.sent.push(Buffer.from(kept.subarray(0, taken)))
    this.#kept = taken < kept.length ? kept.subarray(taken) : undefined
    if (!this.#kept) this.#done()
  }
}

/** A connection without a descriptor, of which the system takes everything at once, or nothing while it is `stuck`. */
export class QuietConnection extends net.Socket {
  #isStuck = false
  #done: () => void = () => {}

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    this.#take(done)
  }

  override _writev(_chunks: unknown, done: () => void): void {
    this.#take(done)
  }

  set stuck(isStuck: boolean) {
    this.#isStuck = isStuck
    if (isStuck) return
    const done = this.#done
    this.#done = () => {}
    done()
  }

  #take(done: () => void): void {
    if (this.#isStuck) this.#done = done
    else done()
  }
}
