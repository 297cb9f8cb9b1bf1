/**
 * One tunnel: an SSH channel that speaks the tunnel protocol to an agent, and a unix socket that carries the same frame
 * records to the fabric. The session (hello, keepalive, bye) ends here; frames from the agent are passed on as they
 * come, unparsed but for their lengths; for those to the agent see downlink.ts.
 */
import { randomInt } from 'node:crypto'
import net from 'node:net'
import { hostname } from 'node:os'
import type { Duplex } from 'node:stream'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { decodeBye } from '#net/tunnel/bye.ts'
import { RECORD_BYE } from '#net/tunnel/framing.ts'
import type { BufferLimits } from '#net/tunnel/buffer-bound.ts'
import { KEEPALIVE_MS, TUNNEL_VERSION, type Hello } from '#net/tunnel/hello.ts'
import { TunnelSession } from '#net/tunnel/session.ts'
import { MAX_WIRE_FRAME } from '#net/port/port.ts'
import { isDeaf } from '#net/port/tunnel/channel-stream.ts'
import { connectionUnder } from '#net/port/tunnel/connection.ts'
import { ChannelWindow } from '#net/port/tunnel/channel-window.ts'
import { fabricSockets, topologyOf } from '#hub/base/fabric-sockets.ts'
import type { Caller } from '#hub/gateway/caller.ts'
import { Downlink } from '#hub/gateway/downlink.ts'
import { parseAnswer } from '#hub/gateway/fabric-answer.ts'

/** Shorter than an agent waits for the hello, so that it hears the reason. */
const ATTACH_TIMEOUT_MS = 3000
const LONGEST_ANSWER = 4096
/** Octets for the fabric that wait before the agent is no longer read from; SSH's window then stops it. */
const HIGH_WATER = 1 << 20
/** How soon the fabric hears of what the queue toward the agent has lost: a record for all of that time. */
const TELL_LOSSES_MS = 100
/** How long the last word waits for the frame under way. */
const FINISH_TIMEOUT_MS = 500

export interface TunnelOptions {
  /** As the agent named it. */
  readonly bridge: string
  /** Its full name. @throws ProtocolError that the agent is told */
  readonly find: () => Promise<string>
  readonly user: string
  /** Of ssh2. */
  readonly channel: Duplex & { exit(status: number): void }
  readonly caller: Caller
  /** Of the sockets of this hub. */
  readonly buffers?: BufferLimits
  readonly log: (level: 'info' | 'warn', text: string) => void
  readonly onEnd: () => void
}

export class Tunnel {
  readonly #options: TunnelOptions
  readonly #session: TunnelSession
  readonly #window: ChannelWindow
  /** In full, when it is found. */
  #bridge: string
  #fabric: net.Socket | undefined
  #downlink: Downlink | undefined
  /** The fabric has taken the tunnel: frames flow. */
  #joined = false
  #timer: NodeJS.Timeout | undefined
  #lossTimer: NodeJS.Timeout | undefined
  /** Losses are to be told after the record under way. */
  #lossesWait = false
  #corked = false
  #ended = false
  #finished = false

  constructor(options: TunnelOptions) {
    this.#options = options
    this.#bridge = options.bridge
    const own: Hello = {
      version: TUNNEL_VERSION,
      name: hostname(),
      largestFrame: MAX_WIRE_FRAME,
      superFrames: true,
      latencyControl: true,
      keepaliveMs: KEEPALIVE_MS,
      key: '',
      ...known(options.buffers),
    }
    this.#session = new TunnelSession(
      own,
      {
        onHello: (peer) => void this.#find(peer),
        onFrames: (chunk, start, end) => this.#toFabric(chunk, start, end),
        onPong: (time) => this.#answered(time),
        onEnd: (reason) => this.#end(reason),
      },
      performance.now(),
    )
    const { channel } = options
    this.#window = new ChannelWindow(channel)
    channel.on('data', (chunk: Buffer) => {
      const now = performance.now()
      this.#session.receive(chunk, 0, chunk.length, now)
      this.#window.read(chunk.length, now, this.#session.leastRoundTripMs)
      if (this.#lossesWait) this.#tellLosses()
      this.#transmit()
    })
    channel.on('error', () => this.#hangUp('the connection failed'))
    channel.on('end', () => this.#hangUp('the agent left'))
    channel.on('close', () => this.#hangUp('the agent left'))
    this.#arm()
  }

  /** Ends the tunnel and tells the agent why. */
  bye(code: string, message: string): void {
    this.#session.bye(code, message)
  }

  /** The connection under the channel is gone. */
  #hangUp(why: string): void {
    this.#session.bye('lost', why)
  }

  async #find(peer: Hello): Promise<void> {
    try {
      this.#bridge = await this.#options.find()
    } catch (error) {
      const code = error instanceof ProtocolError ? error.code : 'internal'
      this.bye(code, reasonOf(error))
    }
    if (!this.#ended) this.#join(peer)
  }

  #join(peer: Hello): void {
    const { user, channel, caller } = this.#options
    const bridge = this.#bridge
    const fabric = net.connect(fabricSockets(topologyOf(bridge)).tunnel)
    this.#fabric = fabric
    this.#downlink = new Downlink({
      channel,
      path: connectionUnder(caller, peer.latencyControl),
      fabric,
      seed: randomInt(2 ** 32),
      isFurther: peer.token !== undefined,
      onControl: (type, payload) => {
        if (type !== RECORD_BYE) return
        const reason = decodeBye(payload)
        this.bye(reason.code, reason.message)
      },
      onBoundary: () => (this.#ended ? this.#finish() : this.#transmit()),
      onLost: () => this.#tellLossesSoon(),
    })
    let answer = ''
    const timer = setTimeout(() => this.bye('unavailable', 'the switch does not answer'), ATTACH_TIMEOUT_MS)
    fabric.on('close', () => {
      clearTimeout(timer)
      this.bye('unavailable', 'the switch went away')
    })
    // 'close' follows and says all that there is to know.
    fabric.on('error', () => {})
    fabric.on('drain', () => channel.resume())
    fabric.on('data', (chunk: Buffer) => {
      if (this.#finished) return
      if (this.#joined) return this.#fromFabric(chunk)
      const end = chunk.indexOf(0x0a)
      answer += chunk.toString('utf8', 0, end < 0 ? chunk.length : end)
      if (end < 0) {
        if (answer.length > LONGEST_ANSWER) fabric.destroy()
        return
      }
      clearTimeout(timer)
      const joined = parseAnswer(answer)
      if (joined instanceof ProtocolError) return this.bye(joined.code, joined.message)
      this.#joined = true
      this.#session.greet({
        token: joined.token,
        bridge: bridge.includes('/') ? bridge : `/${bridge}`,
      })
      this.#transmit()
      this.#arm()
      if (chunk.length > end + 1) this.#fromFabric(chunk.subarray(end + 1))
    })
    const request = {
      kind: 'tunnel',
      bridge,
      user,
      name: peer.name,
      key: peer.key,
      token: peer.token,
      superFrames: peer.superFrames,
      largestFrame: peer.largestFrame,
      localAddress: caller.localAddress,
      peerAddress: caller.peerAddress,
    }
    fabric.write(`${JSON.stringify(request)}\n`)
  }

  #toFabric(chunk: Uint8Array, start: number, end: number): void {
    const fabric = this.#fabric
    if (!this.#joined || !fabric || fabric.destroyed)
      throw new ProtocolError('hello', 'the peer sent frames before the hub answered its hello')
    if (!this.#corked) {
      // One read of the connection brings several SSH packets: their frames go on in one system call.
      this.#corked = true
      fabric.cork()
      setImmediate(this.#uncork)
    }
    // A span of the scanner's own header buffer is used again at the next one: it must be copied.
    fabric.write(end - start <= 4 ? Buffer.from(chunk.subarray(start, end)) : chunk.subarray(start, end))
    if (fabric.writableLength > HIGH_WATER) this.#options.channel.pause()
  }

  readonly #uncork = (): void => {
    this.#corked = false
    this.#fabric?.uncork()
  }

  /** The agent has answered a ping of this time. */
  #answered(time: number): void {
    if (this.#downlink === undefined) return
    this.#downlink.answered(time, performance.now())
    if (!this.#joined || this.#ended) return
    this.#downlink.losses.roundTripMs = this.#session.roundTripMs
    this.#tellLossesSoon()
  }

  #tellLossesSoon(): void {
    this.#lossTimer ??= setTimeout(() => this.#tellLosses(), TELL_LOSSES_MS)
  }

  /** Between two records of the agent's. */
  #tellLosses(): void {
    this.#lossTimer = undefined
    const losses = this.#downlink?.losses
    this.#lossesWait = losses?.isEmpty === false && this.#session.isInFrame
    if (losses?.isEmpty === false && !this.#lossesWait && this.#fabric?.writable === true)
      this.#fabric.write(losses.take())
  }

  #fromFabric(chunk: Buffer): void {
    try {
      this.#downlink?.receive(chunk)
    } catch (error) {
      this.bye('internal', reasonOf(error))
    }
  }

  /**
   * Control records go between frame records: one that cannot go now waits for the frame under way, or for an agent
   * that does not read.
   */
  #transmit(): void {
    const { channel, caller } = this.#options
    if ((!this.#ended && isDeaf(channel, caller)) || this.#downlink?.isBetweenRecords === false) {
      this.#downlink?.interrupt()
      return
    }
    for (let record = this.#session.pollTransmit(); record; record = this.#session.pollTransmit()) {
      if (this.#downlink) this.#downlink.writeControl(record)
      else if (channel.writable) channel.write(record)
    }
  }

  #arm(): void {
    if (this.#ended) return // the timer is that of the end
    clearTimeout(this.#timer)
    const wait = Math.max(0, this.#session.nextDeadline() - performance.now())
    this.#timer = setTimeout(() => {
      this.#session.handleTimeout(performance.now())
      this.#transmit()
      this.#arm()
    }, wait)
  }

  #end(reason: ProtocolError): void {
    this.#ended = true
    clearTimeout(this.#timer)
    const { user, caller, log } = this.#options
    // Of an agent that does not answer, or came back by another way, the connection would stay for a quarter of an hour.
    if (reason.code === 'lost' || reason.code === 'taken-over') connectionUnder(caller, true).abandon()
    log(
      reason.code === 'leave' ? 'info' : 'warn',
      `tunnel of ${user} on ${this.#bridge} ended: ${reason.message}`,
    )
    if (
      this.#downlink?.isBetweenRecords === false &&
      this.#options.channel.writable &&
      this.#fabric?.destroyed === false
    ) {
      this.#downlink.interrupt()
      this.#timer = setTimeout(() => this.#finish(), FINISH_TIMEOUT_MS)
    }
    // The session queues its bye before it tells of the end.
    else this.#finish()
  }

  /** Says the last word, and lets go of both sides. */
  #finish(): void {
    if (this.#finished) return
    this.#finished = true
    clearTimeout(this.#timer)
    const { channel, onEnd } = this.#options
    this.#transmit()
    this.#downlink?.close()
    this.#window.close()
    clearTimeout(this.#lossTimer)
    this.#tellLosses()
    this.#fabric?.destroySoon()
    channel.resume() // its end comes behind what is unread
    if (channel.writable) {
      channel.exit(0)
      channel.end()
    }
    onEnd()
  }
}

/** As HELLO has them: those that bound nothing are left out. */
const known = (buffers: BufferLimits | undefined): Partial<BufferLimits> =>
  Object.fromEntries(Object.entries(buffers ?? {}).filter(([, octets]) => Number.isFinite(octets)))
