/**
 * The streams of one tunnel from gateways, a first one and those of further connections of the same agent, which may end
 * in other gateways. Who joins further ones has shown that the first is his by a token that only he was given.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { MOST_STREAMS, PortBundle } from '#net/port/tunnel/bundle.ts'
import { StreamSocketPort } from '#net/port/stream-socket.ts'
import type { SwitchPort } from '#net/switch/switch.ts'

const TOKEN_OCTETS = 16

export interface TunnelStreamsOptions {
  /** `tunnel:ann@site` */
  readonly name: string
  /** Of the first: a connected, non-blocking stream socket, which belongs to the streams from now on. */
  readonly fd: number
  readonly superFrames: boolean
  readonly maxFrame: number
  readonly entry: SwitchPort
  /** The first has ended: the others are to go, too. */
  readonly onEnd: (why: string) => void
  /** One of the others came, or went: there are so many now. */
  readonly onCount: (count: number) => void
}

export class TunnelStreams {
  /** To be told to the agent, and to nobody else. */
  readonly token = randomBytes(TOKEN_OCTETS).toString('base64url')
  readonly port: PortBundle<StreamSocketPort>
  readonly #options: TunnelStreamsOptions

  constructor(options: TunnelStreamsOptions) {
    this.#options = options
    const { entry, fd, onEnd } = options
    const first = new StreamSocketPort({ ...this.#common, fd, sink: entry, onEnd })
    this.port = new PortBundle({ first, sink: entry, seed: randomInt(2 ** 32) })
  }

  get count(): number {
    return this.port.streams.length
  }

  get isFull(): boolean {
    return this.count === MOST_STREAMS
  }

  /** Milliseconds to the agent; undefined until measured. */
  get roundTripMs(): number | undefined {
    return this.port.first.roundTripMs
  }

  /**
   * One more. `fd` belongs to the streams when this returns.
   * @param answer  is called before anything is sent to it
   */
  join(fd: number, answer: () => void): void {
    const stream = new StreamSocketPort({
      ...this.#common,
      fd,
      sink: this.port.sink,
      onEnd: () => {
        this.port.remove(stream)
        stream.close()
        this.#options.onCount(this.count)
      },
    })
    answer()
    this.port.add(stream)
    this.#options.onCount(this.count)
  }

  /** Ends all, and tells the far sides why. */
  end(code: string, message: string): void {
    for (const stream of this.port.streams) stream.end(code, message)
  }

  /** The first has ended: tells the others. */
  close(): void {
    const { first, streams } = this.port
    for (const stream of streams) if (stream !== first) stream.end('closed', 'the tunnel is over')
    first.close()
  }

  get #common(): Pick<TunnelStreamsOptions, 'name' | 'superFrames' | 'maxFrame'> & {
    counters: SwitchPort['counters']
  } {
    const { name, superFrames, maxFrame, entry } = this.#options
    return { name, superFrames, maxFrame, counters: entry.counters }
  }
}
