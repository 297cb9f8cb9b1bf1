import { expect, it } from 'vitest'
import { FurtherConnection } from '#agent/link/further.ts'
import { PortCounters } from '#net/port/counters.ts'
import { PortBundle } from '#net/port/tunnel/bundle.ts'
import { TunnelPort } from '#net/port/tunnel/tunnel.ts'
import { byeRecord } from '#net/tunnel/bye.ts'
import { controlRecord, RECORD_HELLO } from '#net/tunnel/framing.ts'
import { encodeHello, type Hello, TUNNEL_VERSION } from '#net/tunnel/hello.ts'
import { QuietConnection, WindowChannel } from '#test/support/window-channel.ts'

const HELLO: Hello = {
  version: TUNNEL_VERSION,
  name: 'test',
  largestFrame: 9216,
  superFrames: true,
  latencyControl: true,
  keepaliveMs: 60_000,
  key: '',
}

/** A channel on which the hub says hello and goodbye in one breath. */
function exec(): Promise<WindowChannel> {
  const channel = new WindowChannel()
  const hello = controlRecord(RECORD_HELLO, encodeHello(HELLO))
  setImmediate(() => channel.push(Buffer.concat([hello, byeRecord('too-many-tunnels', 'enough')])))
  return Promise.resolve(channel)
}

it('is no part of a tunnel that the hub ends as it begins', async () => {
  const sink = { frame: () => {}, batchEnd: () => {}, portState: () => {} }
  const first = new TunnelPort({ name: 'tunnel', counters: new PortCounters(), sink, seed: 1 })
  const port = new PortBundle({ first, sink, seed: 1 })
  const remote = { bridge: 'private0', port, outage: undefined }
  const socket = new QuietConnection()
  const hub = { stream: socket, socket, exec, end: () => {} }
  const reason = await new Promise((resolve) => {
    const further = new FurtherConnection({
      dial: () => Promise.resolve(hub),
      tokens: () => new Map([[remote, 'token']]),
      hello: HELLO,
      random: () => 0,
      onGiveUp: resolve,
    })
    void further.run(0)
  })
  expect(reason).toBe('enough')
  expect(port.streams).toEqual([first])
})
