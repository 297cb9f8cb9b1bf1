/**
 * The window of an SSH channel, grown as `ReceiveWindow` says. ssh2 keeps it at 2 MiB: it grants what was read whenever
 * half of that is used up, and knows no other size. What is granted here in time leaves it nothing to do.
 *
 * ssh2 has no interface for this; where its fields are not what they are known to be, the window stays as it is.
 */
import type { Duplex } from 'node:stream'
import { isRecord } from '#net/base/unknown.ts'
import { FIRST_WINDOW, ReceiveWindow, WindowBudget } from '#net/tunnel/receive-window.ts'

/** Granted at once: a quarter of the window, so that three quarters and more are there for what is under way. */
const GRANT_SHARE = 0.25
/** Of all channels of this process. */
const BUDGET = new WindowBudget(256 << 20)

export class ChannelWindow {
  readonly #channel: Duplex
  readonly #fields: ChannelFields | undefined
  readonly #window: ReceiveWindow

  /** @param channel  of ssh2 */
  constructor(channel: Duplex, budget: WindowBudget = BUDGET) {
    this.#channel = channel
    this.#fields = fieldsOf(channel)
    this.#window = new ReceiveWindow(budget)
  }

  get size(): number {
    return this.#window.size
  }

  /** `octets` were read from the channel. @param roundTripMs  see `ReceiveWindow.read` */
  read(octets: number, now: number, roundTripMs: number): void {
    if (this.#fields === undefined) return
    this.#window.read(octets, now, roundTripMs)
    const { size } = this.#window
    if (size > FIRST_WINDOW) this.#grant(this.#fields, size)
  }

  close(): void {
    this.#window.close()
  }

  #grant({ incoming, outgoing, protocol }: ChannelFields, size: number): void {
    const more = size - incoming.window - this.#channel.readableLength
    if (more < size * GRANT_SHARE || outgoing.state === 'closed') return
    incoming.window += more
    protocol.channelWindowAdjust(outgoing.id, more)
  }
}

/** What ssh2's lib/Channel.js works with. */
interface ChannelFields {
  /** `window`: octets that the far side may still send. */
  readonly incoming: { window: number }
  /** `id`: the far side's number of the channel. */
  readonly outgoing: { readonly id: number; readonly state: unknown }
  readonly protocol: { channelWindowAdjust(id: number, octets: number): void }
}

function fieldsOf(channel: Duplex): ChannelFields | undefined {
  const incoming: unknown = Reflect.get(channel, 'incoming')
  const outgoing: unknown = Reflect.get(channel, 'outgoing')
  const client: unknown = Reflect.get(channel, '_client')
  const protocol: unknown = isRecord(client) ? client['_protocol'] : undefined
  return isWindow(incoming) && isFarEnd(outgoing) && isProtocol(protocol)
    ? { incoming, outgoing, protocol }
    : undefined
}

const isWindow = (value: unknown): value is ChannelFields['incoming'] =>
  isRecord(value) && typeof value['window'] === 'number'

const isFarEnd = (value: unknown): value is ChannelFields['outgoing'] =>
  isRecord(value) && typeof value['id'] === 'number' && 'state' in value

const isProtocol = (value: unknown): value is ChannelFields['protocol'] =>
  isRecord(value) && typeof value['channelWindowAdjust'] === 'function'
