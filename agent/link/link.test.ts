import type { AddressInfo } from 'node:net'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import ssh2, { type ServerChannel } from 'ssh2'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { generateHostKey } from '#hub/supervisor/host-key.ts'
import { Credentials } from '#agent/login/credentials.ts'
import { dial } from '#agent/link/dial.ts'
import {
  EXIT_PROTOCOL,
  EXIT_TAKEN_OVER,
  EXIT_UNKNOWN_BRIDGE,
  EXIT_UNREACHABLE,
  ExitError,
} from '#agent/exit-codes.ts'
import { HostKeyCheck } from '#agent/login/host-key.ts'
import { Link, type LinkEvents } from '#agent/link/link.ts'
import type { Remote } from '#agent/link/tunnels.ts'
import type { ProtocolError } from '#net/base/errors.ts'
import { PortCounters } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import type { FrameSink, Port } from '#net/port/port.ts'
import { PortBundle } from '#net/port/tunnel/bundle.ts'
import { TunnelPort } from '#net/port/tunnel/tunnel.ts'
import type { Hello } from '#net/tunnel/hello.ts'
import { RECORD_PONG } from '#net/tunnel/framing.ts'
import { TunnelSession } from '#net/tunnel/session.ts'
import { putPlain } from '#net/wire/virtio.ts'
import { flowFrame } from '#test/support/flow-frames.ts'

const HOST_KEY = generateHostKey()
const FRAME = 64

function portOf(listening: { address(): AddressInfo | string | null }): number {
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}

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

let dir = ''
let server: ssh2.Server
let port = 0
let connections: ssh2.Connection[] = []
let open = new Set<ssh2.Connection>()
let tunnels: HubTunnel[] = []
let hello: Hello
/** That the hub gives with a tunnel. */
let token: string | undefined
/** In the hub's hello. */
let fullName: string | undefined
/** Why it takes no further connection of a tunnel. */
let refusal: string | undefined
let knownBridges = new Set<string>()

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'link-'))
  connections = []
  open = new Set()
  tunnels = []
  hello = {
    version: 1,
    name: 'hub',
    largestFrame: 9216,
    superFrames: true,
    latencyControl: true,
    keepaliveMs: 2000,
    key: '',
  }
  token = refusal = fullName = undefined
  knownBridges = new Set(['private0', 'private1'])
  server = new ssh2.Server({ hostKeys: [HOST_KEY] }, (connection) => {
    connections.push(connection)
    const all = open.add(connection)
    connection.on('close', () => all.delete(connection))
    connection.on('error', () => {})
    connection.on('authentication', (context) => context.accept())
    connection.on('session', (accept) => {
      accept().on('exec', (yes, _no, { command }) => {
        if (command === 'hybridge list --json') {
          const channel = yes()
          channel.write('[{"name":"private0"}]\n')
          channel.exit(0)
          channel.end()
        } else serve(yes(), command.split(' ')[2] ?? '')
      })
    })
  })
  await listen(0)
})
afterEach(async () => {
  for (const connection of connections) connection.end()
  await new Promise((resolve) => server.close(resolve))
  rmSync(dir, { recursive: true })
})

async function listen(at: number): Promise<void> {
  await new Promise<void>((resolve) => {
    server.listen(at, '127.0.0.1', resolve)
  })
  port = portOf(server)
}

function serve(channel: ServerChannel, bridge: string): void {
  const tunnel: HubTunnel = {
    bridge,
    channel,
    isDeaf: false,
    pings: 0,
    peer: undefined,
    frames: Buffer.alloc(0),
    ended: undefined,
    session: new TunnelSession(
      hello,
      {
        onHello: (peer) => {
          tunnel.peer = peer
          if (peer.token !== undefined && refusal !== undefined)
            tunnel.session.bye(refusal, 'no more of them')
          else if (knownBridges.has(bridge)) tunnel.session.greet({ token, bridge: fullName })
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
  tunnels.push(tunnel)
}

const raise = (): never => {
  throw new Error('no remote')
}

function agent(...bridges: string[]) {
  return agentWith(1, bridges)
}

function agentWith(count: number, bridges: readonly string[]) {
  const counters = new PortCounters()
  const received: Buffer[] = []
  const sink: FrameSink = {
    frame: (memory, start, end) => void received.push(Buffer.from(memory.bytes.slice(start, end))),
    batchEnd: () => {},
    portState: () => {},
  }
  const remotes = (bridges.length > 0 ? bridges : ['private0']).map((bridge): Remote => ({
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
    port,
    files: [join(dir, 'known')],
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
        port,
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

/** What this process has open, and listens to for good. */
const holdings = () => ({
  descriptors: readdirSync('/proc/self/fd').length,
  listeners: process.eventNames().map((name) => [name, process.listenerCount(name)]),
})

/** A frame of 64 octets in memory that a port takes. */
function sendFrame(to: Port): void {
  const memory = new FrameMemory(new Uint8Array(128).fill(7))
  putPlain(memory.bytes, 32)
  to.send(memory, 32, 32 + FRAME)
  to.flush()
}

const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 5000, interval: 5 })
const failure = (run: Promise<void>): Promise<unknown> =>
  run.then(
    () => undefined,
    (error: unknown) => error,
  )

/** The hub ends the last tunnel to a bridge, as it does when the bridge is removed. */
function takeAway(bridge: string): void {
  const tunnel = tunnels.findLast((one) => one.bridge === bridge)
  tunnel?.session.bye('unknown-bridge', `${bridge} was removed`)
  tunnel?.say()
}

describe('Link', () => {
  it('says who it is, carries frames both ways, measures, and tells the hub when it ends', async () => {
    const { link, port: tunnelPort, events, received, counters } = agent()
    const running = link.run()
    await until(() => link.state === 'connected')
    const [tunnel] = tunnels
    expect(tunnel?.peer).toMatchObject({ key: 'key', superFrames: true, largestFrame: 9216 })
    expect(events.onConnected).toHaveBeenCalledWith('127.0.0.1', expect.objectContaining({ name: 'hub' }), 0)
    sendFrame(tunnelPort)
    await until(() => tunnel?.frames.length === 4 + 10 + FRAME)
    expect(counters.outFrames).toBe(1)
    tunnel?.channel.write(tunnel.frames)
    await until(() => received.length === 1)
    expect(received[0]).toEqual(Buffer.alloc(FRAME, 7))
    await until(() => link.roundTripMs !== undefined)
    link.stop()
    await running
    await until(() => tunnel?.ended?.code === 'leave')
  })

  it.each([
    ['by the name that the hub gave it in full', 'two/private0', 'two/private0'],
    ['by its own name when the hub gives one that ends a word', 'two/private0 x', 'private0'],
  ])('asks for a bridge again %s', async (_how, name, asked) => {
    fullName = name
    knownBridges.add(name)
    const { link } = agent()
    const running = link.run()
    await until(() => link.state === 'connected')
    connections[0]?.end()
    await until(() => link.reconnects === 1)
    expect(tunnels.map(({ bridge }) => bridge)).toEqual(['private0', asked])
    link.stop()
    await running
  })

  it('counts frames while the hub is away, comes back, and keeps its counters', async () => {
    const { link, port: tunnelPort, events, counters } = agent()
    const running = link.run()
    await until(() => link.state === 'connected')
    sendFrame(tunnelPort)
    connections[0]?.end()
    await until(() => events.onLost.mock.calls.length === 1)
    expect(tunnelPort.up).toBe(false)
    expect(link.state).toBe('disconnected')
    sendFrame(tunnelPort)
    expect(counters.read().outDrops).toEqual({ 'link-down': 1 })
    await until(() => link.state === 'connected')
    expect(link.reconnects).toBe(1)
    sendFrame(tunnelPort)
    expect(counters.outFrames).toBe(2)
    link.stop()
    await running
  })

  it('says why it cannot come back, each reason once, and goes on trying', async () => {
    const { link, events } = agent()
    const running = link.run()
    await until(() => link.state === 'connected')
    const closed = new Promise((resolve) => server.close(resolve))
    connections[0]?.end()
    await closed
    await until(() => events.onRetry.mock.calls.length === 1)
    expect(events.onRetry.mock.calls[0]?.[0]).toContain('connection refused')
    await listen(port)
    link.reconnectNow()
    await until(() => link.state === 'connected')
    link.stop()
    await running
  })

  it('notices within three keepalives that the hub has gone silent', async () => {
    hello = { ...hello, keepaliveMs: 100 }
    const { link, events } = agent()
    const running = link.run()
    await until(() => events.onLost.mock.calls.length === 1)
    expect(events.onLost.mock.calls[0]?.[0]).toMatch(/nothing heard from the peer for 0\.3/)
    link.stop()
    await running
  })

  it('connects anew at once when it is told to', async () => {
    const { link } = agent()
    const running = link.run()
    await until(() => link.state === 'connected')
    link.reconnectNow()
    await until(() => link.reconnects === 1)
    expect(tunnels[0]?.ended?.code).toBe('leave')
    link.stop()
    await running
  })

  it('looks at the connection when the network changed, and keeps one that answers', async () => {
    const { link, events } = agent()
    const running = link.run()
    await until(() => link.roundTripMs !== undefined)
    link.networkChanged()
    link.woke(3000)
    await until(() => (tunnels[0]?.pings ?? 0) >= 3)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(events.onLost).not.toHaveBeenCalled()
    link.stop()
    await running
  })

  it('has done with a connection that does not answer then, before three keepalives', async () => {
    const { link, events } = agent()
    const running = link.run()
    await until(() => link.state === 'connected')
    const [tunnel] = tunnels
    if (tunnel) tunnel.isDeaf = true
    const from = performance.now()
    link.networkChanged()
    await until(() => events.onLost.mock.calls.length === 1)
    expect(events.onLost.mock.calls[0]?.[0]).toMatch(/nothing heard from the peer for 2\.5/)
    expect(performance.now() - from).toBeLessThan(5000)
    link.stop()
    await running
  })

  it('dials at once when it stood still for so long that the hub has given it up', async () => {
    const { link, events } = agent()
    const running = link.run()
    await until(() => link.state === 'connected')
    link.woke(600_000)
    await until(() => link.reconnects === 1)
    expect(events.onLost.mock.calls).toEqual([['everything stood still here for 600 s']])
    link.stop()
    await running
  })

  it('waits no longer for its next attempt when the network changes', async () => {
    const { link, events } = agent()
    const running = link.run()
    await until(() => link.state === 'connected')
    const closed = new Promise((resolve) => server.close(resolve))
    connections[0]?.end()
    await closed
    await until(() => link.attempt >= 5) // the pause is 2.2 s now
    await listen(port)
    const from = performance.now()
    link.networkChanged()
    await until(() => link.state === 'connected')
    expect(performance.now() - from).toBeLessThan(2000)
    expect(events.onLost).toHaveBeenCalledTimes(1)
    link.stop()
    await running
  })

  it('does not dial a hub over and over that takes the tunnel and drops it', async () => {
    const { link } = agent()
    const running = link.run()
    await until(() => link.state === 'connected')
    const from = performance.now()
    for (const drops of [1, 2, 3]) {
      connections.at(-1)?.end()
      await until(() => link.reconnects === drops)
    }
    // Pauses of 200, 300 and 600 ms.
    expect(performance.now() - from).toBeGreaterThan(1000)
    link.stop()
    await running
  })

  it('leaves nothing behind when it reconnects again and again', async () => {
    const { link } = agent('private0', 'private1')
    const running = link.run()
    await until(() => link.state === 'connected')
    const again = async (times: number): Promise<void> => {
      for (const goal = link.reconnects + times; link.reconnects < goal;) {
        const next = link.reconnects + 1
        link.reconnectNow()
        await until(() => link.reconnects === next)
      }
      await until(() => connections.length === link.reconnects + 1 && open.size === 1)
    }
    await again(5)
    const before = holdings()
    await again(25)
    expect(holdings()).toEqual(before)
    expect(tunnels.filter(({ ended }) => ended === undefined)).toHaveLength(2)
    link.stop()
    await running
  })

  it('ends for good when its port was taken over', async () => {
    const { link } = agent()
    const ended = failure(link.run())
    await until(() => link.state === 'connected')
    tunnels[0]?.session.bye('taken-over', 'ann@site came back')
    tunnels[0]?.say()
    expect(await ended).toMatchObject({ exitCode: EXIT_TAKEN_OVER })
  })

  it('joins several bridges through one connection, each with frames of its own', async () => {
    const { link, remotes } = agent('private0', 'private1')
    const running = link.run()
    await until(() => link.state === 'connected')
    expect(connections).toHaveLength(1)
    for (const [i, remote] of remotes.entries()) {
      sendFrame(remote.port)
      const tunnel = tunnels.find(({ bridge }) => bridge === remote.bridge)
      await until(() => tunnel?.frames.length === 4 + 10 + FRAME)
      expect(tunnels.filter(({ frames }) => frames.length > 0)).toHaveLength(i + 1)
    }
    link.stop()
    await running
  })

  it('goes on with the others when a bridge is taken away, and asks for it until it is back', async () => {
    const { link, remotes, events } = agent('private0', 'private1')
    const running = link.run()
    await until(() => link.state === 'connected')
    const [stays, goes] = remotes
    knownBridges.delete('private1')
    takeAway('private1')
    await until(() => (goes?.outage?.attempt ?? 0) > 1)
    expect(goes?.outage?.reason).toContain('the hub has no bridge private1 for you; you may join: private0')
    expect([stays?.port.up, goes?.port.up]).toEqual([true, false])
    expect(link.state).toBe('connected')
    expect(events.onNotice.mock.calls).toEqual([
      ['bridge private1 is away: private1 was removed; asking for it again'],
    ])
    knownBridges.add('private1')
    await until(() => goes?.port.up === true)
    expect(goes?.outage).toBeUndefined()
    expect(events.onNotice).toHaveBeenLastCalledWith('bridge private1 is back')
    expect([connections.length, events.onLost.mock.calls.length]).toEqual([1, 0])
    // Taken away again at once: the pauses go on growing.
    takeAway('private1')
    await until(() => goes?.port.up === false)
    const from = performance.now()
    await until(() => goes?.port.up === true)
    expect(performance.now() - from).toBeGreaterThan(500)
    link.stop()
    await running
  })

  it('comes back without a bridge that is not there any more, and not without all of them the first time', async () => {
    const { link, remotes } = agent('private0', 'private1')
    const running = link.run()
    await until(() => link.state === 'connected')
    knownBridges.delete('private0')
    link.reconnectNow()
    await until(() => link.reconnects === 1)
    expect(remotes.map(({ port: one }) => one.up)).toEqual([false, true])
    link.stop()
    await running
    expect(await failure(agent('private0', 'private1').link.run())).toMatchObject({
      exitCode: EXIT_UNKNOWN_BRIDGE,
    })
  })

  it('fails the first time with the bridges that there are', async () => {
    const error = await failure(agent('nosuch').link.run())
    expect(error).toBeInstanceOf(ExitError)
    expect(error).toMatchObject({
      exitCode: EXIT_UNKNOWN_BRIDGE,
      message: 'the hub has no bridge nosuch for you; you may join: private0',
    })
  })

  it('fails the first time when the hub speaks another version, or is not there', async () => {
    hello = { ...hello, version: 2 }
    const error = await failure(agent().link.run())
    expect(error).toMatchObject({
      exitCode: EXIT_PROTOCOL,
      message: expect.stringMatching(/version 2 .* version 1/),
    })
    port = 1
    expect(await failure(agent().link.run())).toMatchObject({ exitCode: EXIT_UNREACHABLE })
  })

  it('comes back to a hub that says goodbye as soon as it has let us in', async () => {
    const { link, events } = agent()
    const running = link.run()
    await until(() => link.state === 'connected')
    let farewells = 0
    server.prependListener('connection', (connection) => {
      if (++farewells > 3) return
      connection.on('authentication', (context) => {
        context.accept()
        connection.end()
      })
    })
    link.reconnectNow()
    await until(() => farewells > 3 && link.state === 'connected')
    expect(events.onRetry.mock.calls).toEqual([[expect.stringContaining('closed the connection')]])
    link.stop()
    await running
  })

  it('ends while the hub leaves it without an answer', async () => {
    let isAsked = false
    server.removeAllListeners('connection')
    server.on('connection', (connection) => {
      connection.on('error', () => {})
      connection.on('authentication', (context) => context.accept())
      connection.on('session', (accept) => accept().on('exec', () => (isAsked = true)))
    })
    const { link } = agent()
    const running = link.run()
    await until(() => isAsked)
    const began = performance.now()
    link.stop()
    await running
    expect(performance.now() - began).toBeLessThan(3000)
  })

  it('says nothing of an attempt that its end has ended', async () => {
    const { link, events } = agent()
    const running = link.run()
    await until(() => link.state === 'connected')
    link.reconnectNow()
    await until(() => link.attempt === 1)
    link.stop()
    await running
    expect(events.onRetry).not.toHaveBeenCalled()
  })

  it('ends while it is still dialling', async () => {
    const { link } = agent()
    const running = link.run()
    link.stop()
    await running
    expect(link.state).not.toBe('connected')
  })
})

/** Bridges of the further streams that are open. */
const further = (): string[] =>
  tunnels
    .filter(({ ended, peer }) => ended === undefined && peer?.token !== undefined)
    .map(({ bridge }) => bridge)

describe('Link with several connections', () => {
  it('joins the tunnel with each, and spreads flows over them', async () => {
    token = 'secret'
    const { link, port: tunnelPort, counters } = agentWith(3, ['private0'])
    const running = link.run()
    await until(() => link.connections === 3)
    expect(tunnels.map(({ peer }) => [peer?.token, peer?.key])).toEqual([
      [undefined, 'key'],
      ['secret', 'key'],
      ['secret', 'key'],
    ])
    for (let ports = 0; ports < 60; ports++) {
      const memory = new FrameMemory(Buffer.concat([new Uint8Array(32), flowFrame({ ports })]))
      tunnelPort.send(memory, 32, memory.bytes.length)
    }
    tunnelPort.flush()
    const arrived = (): number => tunnels.reduce((sum, { frames }) => sum + frames.length, 0)
    await until(() => arrived() === 60 * (4 + 10 + 60))
    expect(tunnels.every(({ frames }) => frames.length > 0)).toBe(true)
    expect(counters.outFrames).toBe(60)
    link.stop()
    await running
    await until(() => tunnels.every(({ ended }) => ended?.code === 'leave'))
  })

  it('takes frames from each, and goes on without one until it is back', async () => {
    token = 'secret'
    const { link, received, events } = agentWith(2, ['private0'])
    const running = link.run()
    await until(() => link.connections === 2)
    const record = Buffer.concat([Buffer.from([1, 0, 0, 70]), Buffer.alloc(10), Buffer.alloc(60, 7)])
    for (const tunnel of tunnels) tunnel.channel.write(record)
    await until(() => received.length === 2)
    connections[1]?.end()
    await until(() => link.connections === 1)
    await until(() => link.connections === 2)
    expect(tunnels).toHaveLength(3)
    expect([link.state, events.onLost.mock.calls.length]).toEqual(['connected', 0])
    link.stop()
    await running
  })

  it('ends them with the first, and has them again when that is back', async () => {
    token = 'secret'
    const { link, events } = agentWith(2, ['private0'])
    const running = link.run()
    await until(() => link.connections === 2)
    token = 'another'
    connections[0]?.end()
    await until(() => events.onLost.mock.calls.length === 1)
    expect(link.connections).toBe(0)
    await until(() => tunnels[1]?.ended?.code === 'leave')
    await until(() => link.connections === 2)
    expect(tunnels.at(-1)?.peer?.token).toBe('another')
    link.stop()
    await running
  })

  it('has one stream for each bridge on each', async () => {
    token = 'secret'
    const { link } = agentWith(2, ['private0', 'private1'])
    const running = link.run()
    await until(() => link.connections === 2 && further().length === 2)
    expect(further().sort()).toEqual(['private0', 'private1'])
    link.stop()
    await running
  })

  it('has one where the hub gives no token, as an older one', async () => {
    const { link } = agentWith(4, ['private0'])
    const running = link.run()
    await until(() => link.roundTripMs !== undefined)
    expect([link.connections, connections.length]).toEqual([1, 1])
    link.stop()
    await running
  })

  it('does not insist where the hub takes no more', async () => {
    token = 'secret'
    refusal = 'too-many-tunnels'
    const { link, events } = agentWith(2, ['private0'])
    const running = link.run()
    await until(() => events.onNotice.mock.calls.length === 1)
    expect(events.onNotice.mock.calls).toEqual([
      ['the hub does not take a further connection: no more of them; going on without'],
    ])
    expect([link.state, link.connections]).toEqual(['connected', 1])
    link.stop()
    await running
  })
})
