import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Tunnel } from '#agent/link/tunnel.ts'
import { PortCounters } from '#net/port/counters.ts'
import { TunnelPort } from '#net/port/tunnel/tunnel.ts'
import { byeRecord, decodeBye } from '#net/tunnel/bye.ts'
import {
  controlRecord,
  RECORD_BYE,
  RECORD_HELLO,
  RECORD_PING,
  RECORD_PONG,
  RecordScanner,
} from '#net/tunnel/framing.ts'
import { encodeHello, TUNNEL_VERSION, type Hello } from '#net/tunnel/hello.ts'
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

let channel: WindowChannel
let socket: QuietConnection
let port: TunnelPort
let tunnel: Tunnel

beforeEach(async () => {
  channel = new WindowChannel()
  socket = new QuietConnection()
  const sink = { frame: () => {}, batchEnd: () => {}, portState: () => {} }
  port = new TunnelPort({ name: 'tunnel', counters: new PortCounters(), sink, seed: 1 })
  tunnel = new Tunnel({ channel, transport: { stream: socket, socket }, port, hello: HELLO })
  channel.push(controlRecord(RECORD_HELLO, encodeHello(HELLO)))
  await tunnel.opened
})
afterEach(() => {
  tunnel.bye('leave', 'the test is over')
  port.close()
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Pings of the hub, numbered, each in a read of its own. */
async function ping(from: number, count: number): Promise<void> {
  const stamp = Buffer.alloc(8)
  for (let i = from; i < from + count; i++) {
    stamp.writeUInt32BE(i)
    channel.push(controlRecord(RECORD_PING, stamp))
    if (i % 100 === 0) await turn()
  }
  await turn()
}

/** Control records that the hub has got. */
function received(): { type: number; payload: Buffer }[] {
  const records: { type: number; payload: Buffer }[] = []
  const octets = Buffer.concat(channel.sent)
  new RecordScanner({
    onFrames: () => expect.unreachable(),
    onControl: (type, payload) => records.push({ type, payload: Buffer.from(payload) }),
  }).scan(octets, 0, octets.length)
  return records
}
const pongs = (): number[] =>
  received()
    .filter(({ type }) => type === RECORD_PONG)
    .map(({ payload }) => payload.readUInt32BE())

describe('Tunnel', () => {
  it('answers the pings of a hub that reads', async () => {
    channel.open(1e9)
    await ping(0, 1000)
    expect(pongs()).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  })

  it.each(['channel', 'connection'])(
    'makes no queue of answers to a hub that does not read its %s',
    async (what) => {
      if (what === 'connection') {
        channel.open(1e9)
        socket.stuck = true
        socket.write(Buffer.alloc(140_000))
      }
      await ping(0, 50_000)
      expect(channel.writableLength + socket.writableLength).toBeLessThan(150_000)
      const before = pongs().length
      channel.open(1e9)
      socket.stuck = false
      await turn()
      await turn()
      // Without another word of the hub's.
      expect(pongs().at(-1)).toBe(49_999)
      await ping(50_000, 1)
      const answers = pongs()
      expect(answers.length - before).toBeLessThan(20_000)
      expect(answers.at(-1)).toBe(50_000)
    },
  )

  it('says its last word behind what such a hub has not read', async () => {
    await ping(0, 50_000)
    tunnel.bye('leave', 'that is all')
    channel.open(1e9)
    await turn()
    const { type = 0, payload = Buffer.alloc(0) } = received().at(-1) ?? {}
    expect(type).toBe(RECORD_BYE)
    expect(decodeBye(payload).message).toBe('that is all')
  })

  it('hears what was said while it stood still, before it calls the hub silent', async () => {
    const hub = new WindowChannel()
    const late = new Tunnel({ channel: hub, transport: { stream: socket, socket }, port, hello: HELLO })
    hub.push(controlRecord(RECORD_HELLO, encodeHello({ ...HELLO, keepaliveMs: 100 })))
    await late.opened
    setImmediate(() => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)
      setImmediate(() => hub.push(byeRecord('taken-over', 'another one came'))) // timers come first
    })
    expect((await late.ended).code).toBe('taken-over')
  })
})
