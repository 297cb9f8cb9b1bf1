import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import {
  EXIT_PROTOCOL,
  EXIT_TAKEN_OVER,
  EXIT_UNKNOWN_BRIDGE,
  EXIT_UNREACHABLE,
  ExitError,
} from '#agent/exit-codes.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import type { Port } from '#net/port/port.ts'
import { putPlain } from '#net/wire/virtio.ts'
import { agentOf, LinkHub, until } from '#test/support/link-hub.ts'

const FRAME = 64

let hub: LinkHub
beforeEach(async () => {
  hub = await LinkHub.start()
})
afterEach(() => hub.close())

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

const failure = (run: Promise<void>): Promise<unknown> =>
  run.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('Link', () => {
  it('says who it is, carries frames both ways, measures, and tells the hub when it ends', async () => {
    const { link, port: tunnelPort, events, received, counters } = agentOf(hub)
    const running = link.run()
    await until(() => link.state === 'connected')
    const [tunnel] = hub.tunnels
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
    hub.fullName = name
    hub.knownBridges.add(name)
    const { link } = agentOf(hub)
    const running = link.run()
    await until(() => link.state === 'connected')
    hub.connections[0]?.end()
    await until(() => link.reconnects === 1)
    expect(hub.tunnels.map(({ bridge }) => bridge)).toEqual(['private0', asked])
    link.stop()
    await running
  })

  it('counts frames while the hub is away, comes back, and keeps its counters', async () => {
    const { link, port: tunnelPort, events, counters } = agentOf(hub)
    const running = link.run()
    await until(() => link.state === 'connected')
    sendFrame(tunnelPort)
    hub.connections[0]?.end()
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
    const { link, events } = agentOf(hub)
    const running = link.run()
    await until(() => link.state === 'connected')
    const closed = new Promise((resolve) => hub.server.close(resolve))
    hub.connections[0]?.end()
    await closed
    await until(() => events.onRetry.mock.calls.length === 1)
    expect(events.onRetry.mock.calls[0]?.[0]).toContain('connection refused')
    await hub.listen(hub.port)
    link.reconnectNow()
    await until(() => link.state === 'connected')
    link.stop()
    await running
  })

  it('notices within three keepalives that the hub has gone silent', async () => {
    hub.hello = { ...hub.hello, keepaliveMs: 100 }
    const { link, events } = agentOf(hub)
    const running = link.run()
    await until(() => events.onLost.mock.calls.length === 1)
    expect(events.onLost.mock.calls[0]?.[0]).toMatch(/nothing heard from the peer for 0\.3/)
    link.stop()
    await running
  })

  it('connects anew at once when it is told to', async () => {
    const { link } = agentOf(hub)
    const running = link.run()
    await until(() => link.state === 'connected')
    link.reconnectNow()
    await until(() => link.reconnects === 1)
    expect(hub.tunnels[0]?.ended?.code).toBe('leave')
    link.stop()
    await running
  })

  it('looks at the connection when the network changed, and keeps one that answers', async () => {
    const { link, events } = agentOf(hub)
    const running = link.run()
    await until(() => link.roundTripMs !== undefined)
    link.networkChanged()
    link.woke(3000)
    await until(() => (hub.tunnels[0]?.pings ?? 0) >= 3)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(events.onLost).not.toHaveBeenCalled()
    link.stop()
    await running
  })

  it('has done with a connection that does not answer then, before three keepalives', async () => {
    const { link, events } = agentOf(hub)
    const running = link.run()
    await until(() => link.state === 'connected')
    const [tunnel] = hub.tunnels
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
    const { link, events } = agentOf(hub)
    const running = link.run()
    await until(() => link.state === 'connected')
    link.woke(600_000)
    await until(() => link.reconnects === 1)
    expect(events.onLost.mock.calls).toEqual([['everything stood still here for 600 s']])
    link.stop()
    await running
  })

  it('waits no longer for its next attempt when the network changes', async () => {
    const { link, events } = agentOf(hub)
    const running = link.run()
    await until(() => link.state === 'connected')
    const closed = new Promise((resolve) => hub.server.close(resolve))
    hub.connections[0]?.end()
    await closed
    await until(() => link.attempt >= 5) // the pause is 2.2 s now
    await hub.listen(hub.port)
    const from = performance.now()
    link.networkChanged()
    await until(() => link.state === 'connected')
    expect(performance.now() - from).toBeLessThan(2000)
    expect(events.onLost).toHaveBeenCalledTimes(1)
    link.stop()
    await running
  })

  it('does not dial a hub over and over that takes the tunnel and drops it', async () => {
    const { link } = agentOf(hub)
    const running = link.run()
    await until(() => link.state === 'connected')
    const from = performance.now()
    for (const drops of [1, 2, 3]) {
      hub.connections.at(-1)?.end()
      await until(() => link.reconnects === drops)
    }
    // Pauses of 200, 300 and 600 ms.
    expect(performance.now() - from).toBeGreaterThan(1000)
    link.stop()
    await running
  })

  it('leaves nothing behind when it reconnects again and again', async () => {
    const { link } = agentOf(hub, ['private0', 'private1'])
    const running = link.run()
    await until(() => link.state === 'connected')
    const again = async (times: number): Promise<void> => {
      for (const goal = link.reconnects + times; link.reconnects < goal;) {
        const next = link.reconnects + 1
        link.reconnectNow()
        await until(() => link.reconnects === next)
      }
      await until(() => hub.connections.length === link.reconnects + 1 && hub.open.size === 1)
    }
    await again(5)
    const before = holdings()
    await again(25)
    expect(holdings()).toEqual(before)
    expect(hub.tunnels.filter(({ ended }) => ended === undefined)).toHaveLength(2)
    link.stop()
    await running
  })

  it('ends for good when its port was taken over', async () => {
    const { link } = agentOf(hub)
    const ended = failure(link.run())
    await until(() => link.state === 'connected')
    hub.tunnels[0]?.session.bye('taken-over', 'ann@site came back')
    hub.tunnels[0]?.say()
    expect(await ended).toMatchObject({ exitCode: EXIT_TAKEN_OVER })
  })

  it('joins several bridges through one connection, each with frames of its own', async () => {
    const { link, remotes } = agentOf(hub, ['private0', 'private1'])
    const running = link.run()
    await until(() => link.state === 'connected')
    expect(hub.connections).toHaveLength(1)
    for (const [i, remote] of remotes.entries()) {
      sendFrame(remote.port)
      const tunnel = hub.tunnels.find(({ bridge }) => bridge === remote.bridge)
      await until(() => tunnel?.frames.length === 4 + 10 + FRAME)
      expect(hub.tunnels.filter(({ frames }) => frames.length > 0)).toHaveLength(i + 1)
    }
    link.stop()
    await running
  })

  it('goes on with the others when a bridge is taken away, and asks for it until it is back', async () => {
    const { link, remotes, events } = agentOf(hub, ['private0', 'private1'])
    const running = link.run()
    await until(() => link.state === 'connected')
    const [stays, goes] = remotes
    hub.knownBridges.delete('private1')
    hub.takeAway('private1')
    await until(() => (goes?.outage?.attempt ?? 0) > 1)
    expect(goes?.outage?.reason).toContain('the hub has no bridge private1 for you; you may join: private0')
    expect([stays?.port.up, goes?.port.up]).toEqual([true, false])
    expect(link.state).toBe('connected')
    expect(events.onNotice.mock.calls).toEqual([
      ['bridge private1 is away: private1 was removed; asking for it again'],
    ])
    hub.knownBridges.add('private1')
    await until(() => goes?.port.up === true)
    expect(goes?.outage).toBeUndefined()
    expect(events.onNotice).toHaveBeenLastCalledWith('bridge private1 is back')
    expect([hub.connections.length, events.onLost.mock.calls.length]).toEqual([1, 0])
    // Taken away again at once: the pauses go on growing.
    hub.takeAway('private1')
    await until(() => goes?.port.up === false)
    const from = performance.now()
    await until(() => goes?.port.up === true)
    expect(performance.now() - from).toBeGreaterThan(500)
    link.stop()
    await running
  })

  it('comes back without a bridge that is not there any more, and not without all of them the first time', async () => {
    const { link, remotes } = agentOf(hub, ['private0', 'private1'])
    const running = link.run()
    await until(() => link.state === 'connected')
    hub.knownBridges.delete('private0')
    link.reconnectNow()
    await until(() => link.reconnects === 1)
    expect(remotes.map(({ port: one }) => one.up)).toEqual([false, true])
    link.stop()
    await running
    expect(await failure(agentOf(hub, ['private0', 'private1']).link.run())).toMatchObject({
      exitCode: EXIT_UNKNOWN_BRIDGE,
    })
  })

  it('fails the first time with the bridges that there are', async () => {
    const error = await failure(agentOf(hub, ['nosuch']).link.run())
    expect(error).toBeInstanceOf(ExitError)
    expect(error).toMatchObject({
      exitCode: EXIT_UNKNOWN_BRIDGE,
      message: 'the hub has no bridge nosuch for you; you may join: private0',
    })
  })

  it('fails the first time when the hub speaks another version, or is not there', async () => {
    hub.hello = { ...hub.hello, version: 2 }
    const error = await failure(agentOf(hub).link.run())
    expect(error).toMatchObject({
      exitCode: EXIT_PROTOCOL,
      message: expect.stringMatching(/version 2 .* version 1/),
    })
    hub.port = 1
    expect(await failure(agentOf(hub).link.run())).toMatchObject({ exitCode: EXIT_UNREACHABLE })
  })

  it('comes back to a hub that says goodbye as soon as it has let us in', async () => {
    const { link, events } = agentOf(hub)
    const running = link.run()
    await until(() => link.state === 'connected')
    let farewells = 0
    hub.server.prependListener('connection', (connection) => {
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
    hub.server.removeAllListeners('connection')
    hub.server.on('connection', (connection) => {
      connection.on('error', () => {})
      connection.on('authentication', (context) => context.accept())
      connection.on('session', (accept) => accept().on('exec', () => (isAsked = true)))
    })
    const { link } = agentOf(hub)
    const running = link.run()
    await until(() => isAsked)
    const began = performance.now()
    link.stop()
    await running
    expect(performance.now() - began).toBeLessThan(3000)
  })

  it('says nothing of an attempt that its end has ended', async () => {
    const { link, events } = agentOf(hub)
    const running = link.run()
    await until(() => link.state === 'connected')
    link.reconnectNow()
    await until(() => link.attempt === 1)
    link.stop()
    await running
    expect(events.onRetry).not.toHaveBeenCalled()
  })

  it('ends while it is still dialling', async () => {
    const { link } = agentOf(hub)
    const running = link.run()
    link.stop()
    await running
    expect(link.state).not.toBe('connected')
  })
})
