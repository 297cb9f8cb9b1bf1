import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { FrameMemory } from '#net/port/frame-memory.ts'
import { agentOf, LinkHub, until } from '#test/support/link-hub.ts'
import { flowFrame } from '#test/support/flow-frames.ts'

let hub: LinkHub
beforeEach(async () => {
  hub = await LinkHub.start()
})
afterEach(() => hub.close())

/** Bridges of the further streams that are open. */
const further = (): string[] =>
  hub.tunnels
    .filter(({ ended, peer }) => ended === undefined && peer?.token !== undefined)
    .map(({ bridge }) => bridge)

describe('Link with several connections', () => {
  it('joins the tunnel with each, and spreads flows over them', async () => {
    hub.token = 'secret'
    const { link, port: tunnelPort, counters } = agentOf(hub, ['private0'], 3)
    const running = link.run()
    await until(() => link.connections === 3)
    expect(hub.tunnels.map(({ peer }) => [peer?.token, peer?.key])).toEqual([
      [undefined, 'key'],
      ['secret', 'key'],
      ['secret', 'key'],
    ])
    for (let ports = 0; ports < 60; ports++) {
      const memory = new FrameMemory(Buffer.concat([new Uint8Array(32), flowFrame({ ports })]))
      tunnelPort.send(memory, 32, memory.bytes.length)
    }
    tunnelPort.flush()
    const arrived = (): number => hub.tunnels.reduce((sum, { frames }) => sum + frames.length, 0)
    await until(() => arrived() === 60 * (4 + 10 + 60))
    expect(hub.tunnels.every(({ frames }) => frames.length > 0)).toBe(true)
    expect(counters.outFrames).toBe(60)
    link.stop()
    await running
    await until(() => hub.tunnels.every(({ ended }) => ended?.code === 'leave'))
  })

  it('takes frames from each, and goes on without one until it is back', async () => {
    hub.token = 'secret'
    const { link, received, events } = agentOf(hub, ['private0'], 2)
    const running = link.run()
    await until(() => link.connections === 2)
    const record = Buffer.concat([Buffer.from([1, 0, 0, 70]), Buffer.alloc(10), Buffer.alloc(60, 7)])
    for (const tunnel of hub.tunnels) tunnel.channel.write(record)
    await until(() => received.length === 2)
    hub.connections[1]?.end()
    await until(() => link.connections === 1)
    await until(() => link.connections === 2)
    expect(hub.tunnels).toHaveLength(3)
    expect([link.state, events.onLost.mock.calls.length]).toEqual(['connected', 0])
    link.stop()
    await running
  })

  it('ends them with the first, and has them again when that is back', async () => {
    hub.token = 'secret'
    const { link, events } = agentOf(hub, ['private0'], 2)
    const running = link.run()
    await until(() => link.connections === 2)
    hub.token = 'another'
    hub.connections[0]?.end()
    await until(() => events.onLost.mock.calls.length === 1)
    expect(link.connections).toBe(0)
    await until(() => hub.tunnels[1]?.ended?.code === 'leave')
    await until(() => link.connections === 2)
    expect(hub.tunnels.at(-1)?.peer?.token).toBe('another')
    link.stop()
    await running
  })

  it('has one stream for each bridge on each', async () => {
    hub.token = 'secret'
    const { link } = agentOf(hub, ['private0', 'private1'], 2)
    const running = link.run()
    await until(() => link.connections === 2 && further().length === 2)
    expect(further().sort()).toEqual(['private0', 'private1'])
    link.stop()
    await running
  })

  it('has one where the hub gives no token, as an older one', async () => {
    const { link } = agentOf(hub, ['private0'], 4)
    const running = link.run()
    await until(() => link.roundTripMs !== undefined)
    expect([link.connections, hub.connections.length]).toEqual([1, 1])
    link.stop()
    await running
  })

  it('does not insist where the hub takes no more', async () => {
    hub.token = 'secret'
    hub.refusal = 'too-many-tunnels'
    const { link, events } = agentOf(hub, ['private0'], 2)
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
