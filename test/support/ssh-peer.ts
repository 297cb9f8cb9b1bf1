/** An SSH client of the test's own, and an agent's end of the tunnel, both of which say whatever a test wants. */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import ssh2 from 'ssh2'
import type { Client, ClientChannel } from 'ssh2'
import { decodeBye } from '#net/tunnel/bye.ts'
import { controlRecord, RECORD_BYE, RECORD_FRAME, RECORD_HELLO, RecordScanner } from '#net/tunnel/framing.ts'
import { encodeHello, TUNNEL_VERSION, type Hello } from '#net/tunnel/hello.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'
import type { Hub } from '#test/support/hub.ts'
import type { Namespace } from '#test/support/netns.ts'
import { connectFrom } from '#test/support/connect-from.ts'

const DEADLINE_MS = 15_000

export interface LoginOptions {
  user?: string
  identity?: string
  password?: string
  localAddress?: string
}

/** Resolves with `event`'s promise, or fails when it takes too long. */
export async function within<T>(what: string, event: Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  const end = new AbortController()
  const late = pause(deadlineMs, undefined, { signal: end.signal }).then(() => {
    throw new Error(`${what}: not in ${deadlineMs} ms`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([event, late])
  } finally {
    end.abort()
  }
}

/** Logs in; the caller ends the client. */
export function sshLogin(from: Namespace, hub: Hub, options: LoginOptions = {}): Promise<Client> {
  const { user = hub.user, identity = hub.identity, password, localAddress } = options
  const client = new ssh2.Client()
  const sock = connectFrom(from, {
    host: hub.address,
    port: hub.port,
    ...(localAddress === undefined ? {} : { localAddress }),
  })
  const ready = new Promise<Client>((resolve, reject) => {
    client.once('ready', () => resolve(client))
    client.on('error', reject)
    client.once('close', () => reject(new Error('the hub closed the connection')))
    sock.once('error', reject)
    sock.once('connect', () =>
      client.connect({
        sock,
        username: user,
        hostVerifier: () => true,
        ...(password === undefined ? { privateKey: readFileSync(identity) } : { password }),
      }),
    )
  })
  return within(`login of ${user}`, ready)
}

export function exec(client: Client, command: string): Promise<ClientChannel> {
  return within(
    `exec ${command}`,
    new Promise((resolve, reject) => {
      client.exec(command, (error: Error | undefined, channel) => (error ? reject(error) : resolve(channel)))
    }),
  )
}

/** Both outputs and the exit code of a channel that ends by itself. */
export async function outcome(
  channel: ClientChannel,
): Promise<{ stdout: string; stderr: string; code: number | null }> {
  let stdout = ''
  let stderr = ''
  channel.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  channel.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  // 'exit' may have come before anybody listened; 'close' says it again.
  const closed = new Promise<number | null>((resolve) => channel.once('close', resolve))
  const code = await within('end of the channel', closed)
  return { stdout, stderr, code }
}

const HELLO: Hello = {
  version: TUNNEL_VERSION,
  name: 'test',
  largestFrame: 9216,
  superFrames: false,
  latencyControl: true,
  keepaliveMs: 2000,
  key: 'test',
}

export const helloRecord = (change: object = {}): Uint8Array =>
  controlRecord(RECORD_HELLO, encodeHello({ ...HELLO, ...change }))

/** A frame record as it stands on the stream. */
export function frameRecord(frame: Uint8Array): Uint8Array {
  const payload = new Uint8Array(VIRTIO_HEADER_LEN + frame.length)
  payload.set(frame, VIRTIO_HEADER_LEN)
  return controlRecord(RECORD_FRAME, payload)
}

export class TunnelPeer {
  readonly channel: ClientChannel
  /** Control records of the hub: type and payload. */
  readonly records: { type: number; payload: Uint8Array }[] = []
  frameOctets = 0
  /** The hub's bye, or that it closed the channel without one. */
  readonly ended: Promise<{ code: string; message: string }>
  readonly closed: Promise<void>
  readonly #watchers = new Set<() => void>()

  constructor(channel: ClientChannel) {
    this.channel = channel
    this.closed = new Promise((resolve) => channel.once('close', () => resolve()))
    this.ended = new Promise((resolve) => {
      const scanner = new RecordScanner({
        onFrames: (_chunk, start, end) => (this.frameOctets += end - start),
        onControl: (type, payload) => {
          this.records.push({ type, payload: payload.slice() })
          if (type === RECORD_BYE) resolve(decodeBye(payload))
        },
      })
      channel.on('data', (chunk: Buffer) => {
        scanner.scan(chunk, 0, chunk.length)
        for (const watcher of this.#watchers) watcher()
      })
      channel.on('error', () => {})
      channel.once('close', () => resolve({ code: 'closed', message: 'closed without a bye' }))
      channel.stderr.resume()
    })
  }

  /** Opens the tunnel's channel and says nothing. */
  static async open(client: Client, bridge = 'private0'): Promise<TunnelPeer> {
    return new TunnelPeer(await exec(client, `hybridge bridge ${bridge}`))
  }

  /** Says a right hello and waits for the hub's. */
  async greet(change: object = {}): Promise<void> {
    this.channel.write(helloRecord(change))
    await this.record(RECORD_HELLO)
  }

  /** Waits for a control record of this type. */
  async record(type: number): Promise<Uint8Array> {
    const find = (): Uint8Array | undefined => this.records.find((one) => one.type === type)?.payload
    const arrival = new Promise<Uint8Array>((resolve) => {
      const watcher = (): void => {
        const payload = find()
        if (payload === undefined) return
        this.#watchers.delete(watcher)
        resolve(payload)
      }
      this.#watchers.add(watcher)
      watcher()
    })
    const end = this.ended.then(({ message }) => {
      throw new Error(`the hub ended the tunnel: ${message}`)
    })
    end.catch(() => {})
    return await within(`record of type ${type}`, Promise.race([arrival, end]))
  }
}
