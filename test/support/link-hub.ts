/** A hub of SSH and tunnels in the test's own process, for links of agents. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2, { type ServerChannel } from 'ssh2'
import { expect, vi } from 'vitest'
import { dial } from '#agent/link/dial.ts'
import { Link, type LinkEvents } from '#agent/link/link.ts'
import type { Remote } from '#agent/link/tunnels.ts'
import { Credentials } from '#agent/login/credentials.ts'
import { HostKeyCheck } from '#agent/login/host-key.ts'
import { generateHostKey } from '#hub/supervisor/host-key.ts'
import type { ProtocolError } from '#net/base/errors.ts'
import { PortCounters } from '#net/port/counters.ts'
import type { FrameSink } from '#net/port/port.ts'
import { PortBundle } from '#net/port/tunnel/bundle.ts'
import { TunnelPort } from '#net/port/tunnel/tunnel.ts'
import { RECORD_PONG } from '#net/tunnel/framing.ts'
import type { Hello } from '#net/tunnel/hello.ts'
import { TunnelSession } from '#net/tunnel/session.ts'

const HOST_KEY = generateHostKey()

/** The hub's end of one tunnel. */
interface HubTunnel {
  readonly bridge: string
  readonly channel: ServerChannel
  readonly session: TunnelSession
  peer: Hello | undefined
  frames: Buffer
  ended: ProtocolError | undefined
  /** Reads nothing any more, as behind a way that is cut. */
  isDeaf: boolean
  /** That were answered, of the agent's. */
  pings: number
  say(): void
}

export class LinkHub {
  readonly directory = mkdtempSync(join(tmpdir(), 'link-'))
  readonly connections: ssh2.Connection[] = []
  readonly open = new Set<ssh2.Connection>()
  readonly tunnels: HubTunnel[] = []
  readonly knownBridges = new Set(['private0', 'private1'])
  readonly server: ssh2.Server
  port = 0
  hello: Hello = {
    version: 1,
    name: 'hub',
    largestFrame: 9216,
    superFrames: true,
    latencyControl: true,
    keepaliveMs: 2000,
    key: '',
  }
  /** That it gives with a tunnel. */
  token: string | undefined
  /** In its hello. */
  fullName: string | undefined
  /** Why it takes no further connection of a tunnel. */
  refusal: string | undefined

  private constructor() {
    this.server = new ssh2.Server({ hostKeys: [HOST_KEY] }, (connection) => {
      this.connections.push(connection)
      this.open.add(connection)
      connection.on('close', () => this.open.delete(connection))
      connection.on('error', () => {})
      connection.on('authentication', (context) => context.accept())
      connection.on('session', (accept) => {
        accept().on('exec', (yes, _no, { command }) => {
          if (command === 'hybridge list --json') {
            const channel = yes()
            channel.write('[{"name":"private0"}]\n')
            channel.exit(0)
            channel.end()
          } else this.#serve(yes(), command.split(' ')[2] ?? '')
        })
      })
    })
  }

  static async start(): Promise<LinkHub> {
    const hub = new LinkHub()
    await hub.listen(0)
    return hub
  }

  async listen(at: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.listen(at, '127.0.0.1', resolve)
    })
    this.port = portOf(this.server)
  }

  /** Ends the last tunnel to a bridge, as when the bridge is removed. */
  takeAway(bridge: string): void {
    const tunnel = this.tunnels.findLast((one) => one.bridge === bridge)
    tunnel?.session.bye('unknown-bridge', `${bridge} was removed`)
    tunnel?.say()
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.end()
    await new Promise((resolve) => this.server.close(resolve))
    rmSync(this.directory, { recursive: true })
  }

  #serve(channel: ServerChannel, bridge: string): void {
    const tunnel: HubTunnel = {
      bridge,
      channel,
      isDeaf: false,
      pings: 0,
      peer: undefined,
      frames: Buffer.alloc(0),
      ended: undefined,
      session: new TunnelSession(
        this.hello,
        {
          onHello: (peer) => {
            tunnel.peer = peer
            const { token, refusal, fullName } = this
            if (peer.token !== undefined && refusal !== undefined)
              tunnel.session.bye(refusal, 'no more of them')
            else if (this.knownBridges.has(bridge)) tunnel.session.greet({ token, bridge: fullName })
            else tunnel.session.bye('unknown-bridge', `no bridge ${bridge}`)
          },
          onFrames: (chunk, start, end) => {
            tunnel.frames = Buffer.concat([tunnel.frames, chunk.subarray(start, end)])
          },
          onPong: () => {},
          onEnd: (reason) => {
            tunnel.ended = reason
          },
        },
        performance.now(),
      ),
      say: () => {
        for (let next = tunnel.session.pollTransmit(); next; next = tunnel.session.pollTransmit()) {
          if (next[0] === RECORD_PONG) tunnel.pings++
          channel.write(next)
        }
      },
    }
    channel.on('data', (chunk: Buffer) => {
      if (tunnel.isDeaf) return
      tunnel.session.receive(chunk, 0, chunk.length, performance.now())
      tunnel.say()
    })
    this.tunnels.push(tunnel)
  }
}

function portOf(listening: { address(): AddressInfo | string | null }): number {
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}

const raise = (): never => {
  throw new Error('no remote')
}

/** An agent's link to it. @param count  connections */
export function agentOf(hub: LinkHub, bridges: readonly string[] = ['private0'], count = 1) {
  const counters = new PortCounters()
  const received: Buffer[] = []
  const sink: FrameSink = {
    frame: (memory, start, end) => void received.push(Buffer.from(memory.bytes.slice(start, end))),
    batchEnd: () => {},
    portState: () => {},
  }
  const remotes = bridges.map((bridge): Remote => ({
    bridge,
    port: new PortBundle({
      first: new TunnelPort({ name: 'tunnel:test', counters, sink, seed: 1 }),
      sink,
      seed: 2,
    }),
    outage: undefined,
  }))
  const [{ port: tunnelPort } = raise()] = remotes
  const events = {
    onConnected: vi.fn<LinkEvents['onConnected']>(),
    onLost: vi.fn<LinkEvents['onLost']>(),
    onRetry: vi.fn<LinkEvents['onRetry']>(),
    onNotice: vi.fn<LinkEvents['onNotice']>(),
  }
  const credentials = new Credentials({
    user: 'ann',
    identity: undefined,
    identityFiles: [],
    agentSocket: undefined,
    password: 'x',
    log: () => {},
  })
  const hostKeys = new HostKeyCheck({
    host: '127.0.0.1',
    port: hub.port,
    files: [join(hub.directory, 'known')],
    acceptNew: true,
    log: () => {},
  })
  const link = new Link({
    remotes,
    name: 'site:eth1',
    portKey: 'key',
    superFrames: true,
    latencyControl: true,
    connections: count,
    isPatient: false,
    random: () => 0.5,
    dial: (lastRoundTripMs, signal) =>
      dial({
        host: '127.0.0.1',
        port: hub.port,
        user: 'ann',
        credentials,
        hostKeys,
        ask: undefined,
        lastRoundTripMs,
        signal,
      }),
    events,
  })
  return { link, remotes, port: tunnelPort, counters, events, received }
}

export const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 5000, interval: 5 })
