/** With ssh2 itself, whose own fields are used: a version that has others must not go unseen. */
import { once } from 'node:events'
import net from 'node:net'
import { Duplex } from 'node:stream'
import ssh2, { type ClientChannel, type ServerChannel } from 'ssh2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ChannelWindow } from '#net/port/tunnel/channel-window.ts'
import { FIRST_WINDOW, MOST_WINDOW, WindowBudget } from '#net/tunnel/receive-window.ts'
import { until } from '#test/support/process.ts'

const ROUND_TRIP_MS = 100

let server: ssh2.Server
let client: ssh2.Client
let near: ClientChannel
let far: ServerChannel

beforeEach(async () => {
  const { private: hostKey } = ssh2.utils.generateKeyPairSync('ed25519')
  server = new ssh2.Server({ hostKeys: [hostKey] })
  const opened = new Promise<ServerChannel>((resolve) => {
    server.on('connection', (connection) => {
      connection.on('authentication', (context) => context.accept())
      connection.on('error', () => {})
      connection.on('session', (accept) => accept().on('exec', (take) => resolve(take())))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const socket = net.connect(address && typeof address === 'object' ? address.port : 0, '127.0.0.1')
  client = new ssh2.Client()
  client.connect({ sock: socket, username: 'ann' })
  await once(client, 'ready')
  near = await new Promise((resolve, reject) => {
    client.exec('test', (error: Error | undefined, channel) => (error ? reject(error) : resolve(channel)))
  })
  near.stderr.resume()
  far = await opened
})
afterEach(() => {
  client.destroy()
  server.close()
})

/** What ssh2 believes that it may still send. */
const mayStillSend = (channel: Duplex): number => {
  const outgoing: unknown = Reflect.get(channel, 'outgoing')
  const window: unknown = typeof outgoing === 'object' && outgoing !== null && Reflect.get(outgoing, 'window')
  if (typeof window !== 'number') throw new Error('ssh2 keeps no window')
  return window
}

/** Sends, and reads 320 Mbit/s as time is told here. */
async function transfer(from: Duplex, to: Duplex, window: ChannelWindow, octets: number): Promise<void> {
  let now = 0
  let read = 0
  const onData = (chunk: Buffer): void => {
    read += chunk.length
    now += chunk.length / 40_000
    window.read(chunk.length, now, ROUND_TRIP_MS)
  }
  to.on('data', onData)
  for (let i = 0; i < octets; i += 65_536) if (!from.write(Buffer.alloc(65_536))) await once(from, 'drain')
  await until('all is read', () => read >= octets)
  to.off('data', onData)
}

describe.each(['client', 'server'])('the window of a channel of ssh2, at the %s', (end) => {
  const ends = (): [Duplex, Duplex] => (end === 'client' ? [far, near] : [near, far])

  it('is granted to the sender as it grows, and not beyond', async () => {
    const [from, to] = ends()
    const window = new ChannelWindow(to, new WindowBudget(Infinity))
    await transfer(from, to, window, 24 << 20)
    expect(window.size).toBeGreaterThan(3 * FIRST_WINDOW)
    await until('the grant has arrived', () => mayStillSend(from) > 2 * FIRST_WINDOW)
    expect(mayStillSend(from)).toBeLessThanOrEqual(window.size)
    expect(window.size).toBeLessThanOrEqual(MOST_WINDOW)
    window.close()
  })

  it('is that of ssh2 without a budget', async () => {
    const [from, to] = ends()
    const window = new ChannelWindow(to, new WindowBudget(0))
    await transfer(from, to, window, 8 << 20)
    expect(window.size).toBe(FIRST_WINDOW)
    expect(mayStillSend(from)).toBeLessThanOrEqual(FIRST_WINDOW)
  })

  it('promises what is read, and not what waits', async () => {
    const [from, to] = ends()
    const window = new ChannelWindow(to, new WindowBudget(Infinity))
    await transfer(from, to, window, 24 << 20)
    to.pause()
    const { size } = window
    for (let i = 0; i < 4 * size; i += 65_536) from.write(Buffer.alloc(65_536))
    await until('the sender has to wait', () => mayStillSend(from) === 0)
    expect(to.readableLength).toBeLessThanOrEqual(size)
  })
})

it('leaves a stream alone that is no channel of ssh2', () => {
  const window = new ChannelWindow(new Duplex(), new WindowBudget(Infinity))
  for (let now = 0; now < 1000; now++) window.read(100_000, now, ROUND_TRIP_MS)
  expect(window.size).toBe(FIRST_WINDOW)
})
