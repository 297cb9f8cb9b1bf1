/** One working tunnel: a session on an SSH channel, its clock and its octets; frames go through the tunnel port. */
import type { Duplex, Readable } from 'node:stream'

import { excerpt } from '#agent/excerpt.ts'
import { ProtocolError } from '#net/base/errors.ts'
import { connectionUnder } from '#net/port/tunnel/connection.ts'
import type { Transport } from '#net/port/tunnel/transport.ts'
import type { TunnelPort } from '#net/port/tunnel/tunnel.ts'
import { ChannelStream, isDeaf } from '#net/port/tunnel/channel-stream.ts'
import { ChannelWindow } from '#net/port/tunnel/channel-window.ts'
import type { Hello } from '#net/tunnel/hello.ts'
import { TunnelSession } from '#net/tunnel/session.ts'

const MAX_STDERR = 4096
/** A timer so late shows that nothing ran here: what came meanwhile is read before anybody is called silent. */
const STOOD_STILL_MS = 1000
const READ_FIRST_MS = 100

type AgentChannel = Duplex & { readonly stderr: Readable }

export interface TunnelOptions {
  /** Of ssh2. */
  readonly channel: AgentChannel
  /** What SSH runs on. */
  readonly transport: Transport
  readonly port: TunnelPort
  readonly hello: Hello
}

export class Tunnel {
  readonly #channel: AgentChannel
  readonly #transport: Transport
  readonly #port: TunnelPort
  readonly #hello: Hello
  readonly #session: TunnelSession
  readonly #stream: ChannelStream
  readonly #window: ChannelWindow
  #timer: NodeJS.Timeout | undefined
  #wakeAt = Infinity
  #stderr = ''
  #onOpen: (peer: Hello) => void = () => {}
  #onEnd: (reason: ProtocolError) => void = () => {}
  readonly #onSocketClosed = (): void => this.#lost('the connection to the hub was lost')
  /** Resolves with the hub's hello; stays pending when the session ends before. */
  readonly opened: Promise<Hello>
  /** Resolves with the reason when the tunnel is over. */
  readonly ended: Promise<ProtocolError>

  constructor(options: TunnelOptions) {
    this.#channel = options.channel
    this.#transport = options.transport
    this.#port = options.port
    this.#hello = options.hello
    this.opened = new Promise((resolve) => {
      this.#onOpen = resolve
    })
    this.ended = new Promise((resolve) => {
      this.#onEnd = resolve
    })
    this.#session = new TunnelSession(
      options.hello,
      {
        onHello: (peer) => this.#open(peer),
        onFrames: (chunk, start, end) => this.#port.receive(chunk, start, end),
        onPong: (time) => this.#stream.answered(time, performance.now()),
        onEnd: (reason) => this.#end(reason),
      },
      performance.now(),
    )
    const path = connectionUnder(options.transport, options.hello.latencyControl)
    const onDrained = (): void => {
      this.#pump() // before frames fill the connection again
      this.#port.drained()
    }
    this.#stream = new ChannelStream(options.channel, path, onDrained, options.hello.token !== undefined)
    this.#window = new ChannelWindow(options.channel)
    this.#listen()
    this.#session.greet()
    this.#pump()
  }

  /** Milliseconds; NaN before the first measurement. */
  get roundTripMs(): number {
    return this.#session.roundTripMs
  }

  /** Of the last minutes. */
  get leastRoundTripMs(): number {
    return this.#session.leastRoundTripMs
  }

  /** The connection may be dead: a silence of `withinMs` ends the tunnel, until the hub has answered. */
  probe(withinMs: number): void {
    this.#session.probe(performance.now(), withinMs)
    this.#pump()
  }

  /** Tells the hub why, and ends. */
  bye(code: string, message: string): void {
    this.#session.bye(code, message)
    this.#pump()
  }

  #listen(): void {
    const channel = this.#channel
    channel.on('data', (chunk: Buffer) => {
      const now = performance.now()
      this.#session.receive(chunk, 0, chunk.length, now)
      this.#window.read(chunk.length, now, this.#session.leastRoundTripMs)
      this.#pump()
    })
    channel.stderr.on('data', (chunk: Buffer) => {
      if (this.#stderr.length < MAX_STDERR) this.#stderr += chunk.toString()
    })
    channel.on('close', () => this.#lost(this.#stderr === '' ? 'the hub closed the tunnel' : this.#stderr))
    channel.on('end', () => this.#lost(this.#stderr === '' ? 'the hub ended the tunnel' : this.#stderr))
    channel.on('error', (error: Error) => this.#lost(error.message))
    this.#transport.socket.once('close', this.#onSocketClosed)
  }

  #lost(reason: string): void {
    this.#session.bye('closed', excerpt(reason))
  }

  #open(peer: Hello): void {
    const superFrames = peer.superFrames && this.#hello.superFrames
    this.#port.connect(this.#stream, { superFrames, largestFrame: peer.largestFrame })
    this.#onOpen(peer)
  }

  #end(reason: ProtocolError): void {
    clearTimeout(this.#timer)
    this.#transport.socket.off('close', this.#onSocketClosed) // which may outlive many tunnels
    this.#stream.close()
    this.#window.close()
    this.#port.disconnect(reason.message)
    // After what is being handled now, which may still write the bye.
    setImmediate(() => this.#channel.end())
    this.#onEnd(reason)
  }

  /** Control records go past the port's queue, between its batches. */
  #pump(): void {
    while (this.#session.ended || !isDeaf(this.#channel, this.#transport)) {
      const record = this.#session.pollTransmit()
      if (record === undefined) break
      this.#stream.writeControl(record)
    }
    this.#arm()
  }

  /** The deadline moves later with every octet received; the timer is left alone then, and set anew when it fires. */
  #arm(): void {
    const deadline = this.#session.nextDeadline()
    if (deadline === Infinity || deadline >= this.#wakeAt) return
    clearTimeout(this.#timer)
    this.#wakeAt = deadline
    this.#timer = setTimeout(() => this.#wake(), Math.max(1, Math.ceil(deadline - performance.now())))
  }

  #wake(): void {
    if (performance.now() - this.#wakeAt < STOOD_STILL_MS) return this.#act()
    this.#wakeAt = -Infinity // no other timer
    this.#timer = setTimeout(() => this.#act(), READ_FIRST_MS)
  }

  #act(): void {
    this.#wakeAt = Infinity
    this.#session.handleTimeout(performance.now())
    this.#pump()
  }
}
