import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ChannelStream, isDeaf } from '#net/port/tunnel/channel-stream.ts'
import { TunnelConnection } from '#net/port/tunnel/connection.ts'
import { QuietConnection, WindowChannel } from '#test/support/window-channel.ts'

class Path extends TunnelConnection {
  over = -1
  override excess(): number {
    return this.over
  }
}

const RECORD = Buffer.alloc(100, 7)

let channel: WindowChannel
let socket: QuietConnection
let path: Path
let stream: ChannelStream
let drained: number

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  channel = new WindowChannel()
  socket = new QuietConnection()
  path = new Path(socket, true)
  drained = 0
  stream = new ChannelStream(channel, path, () => drained++)
})
afterEach(() => {
  stream.close()
  const timers = vi.getTimerCount()
  vi.useRealTimers()
  if (timers > 0) throw new Error(`${timers} timers are left`)
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const octets = (): number => Buffer.concat(channel.sent).length

describe.each([true, false])('a channel stream, fast: %s', (isFast) => {
  beforeEach(() => {
    path.pace.isFast = isFast
  })

  it('takes octets, and says when they are sent', async () => {
    channel.open(1e6)
    expect(stream.isFull).toBe(false)
    expect(stream.write(RECORD)).toBe(true)
    await turn()
    expect(octets()).toBe(100)
    expect(drained).toBeGreaterThan(0)
  })

  it('is full while the far side gives no window, and keeps what it was given as it is', async () => {
    channel.open(60)
    expect(stream.write(RECORD)).toBe(false)
    await turn()
    expect([stream.isFull, drained]).toEqual([true, 0])
    channel.open(40)
    await turn()
    expect([stream.isFull, drained, octets()]).toEqual([false, 1, 100])
  })

  it('tells that it takes more behind a control record, too', async () => {
    stream.write(RECORD)
    stream.writeControl(RECORD)
    channel.open(100)
    await turn()
    expect([stream.isFull, drained]).toEqual([true, 0])
    channel.open(100)
    await turn()
    expect([stream.isFull, drained, octets()]).toEqual([false, 1, 200])
  })

  it('is full while the socket is, and woken by it', async () => {
    channel.open(1e6)
    socket.stuck = true
    socket.write(Buffer.alloc(100_000))
    expect(stream.isFull).toBe(true)
    await turn()
    expect(drained).toBe(0)
    socket.stuck = false
    await turn()
    expect([stream.isFull, drained]).toEqual([false, 1])
  })

  it('is full with what waits for new keys, which nobody tells of', () => {
    channel.exchangeKeys(0)
    channel.open(1e6)
    expect(stream.isFull).toBe(!isFast)
    channel.exchangeKeys(64)
    expect(stream.isFull).toBe(true)
    vi.advanceTimersByTime(50)
    expect(drained).toBe(0)
    channel.exchangeKeys(undefined)
    vi.advanceTimersByTime(50)
    expect([drained, stream.isFull]).toEqual([1, false])
  })

  it('says nothing when it is closed', async () => {
    stream.write(RECORD)
    stream.close()
    channel.open(1e6)
    socket.emit('drain')
    await turn()
    expect([drained, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('says when nothing is kept any more: at once, when it is sent, and when it never will be', async () => {
    let released = 0
    const release = (): void => {
      released++
    }
    stream.whenReleased(release)
    expect(released).toBe(1)
    stream.write(RECORD)
    stream.whenReleased(release)
    channel.end()
    await turn()
    expect(released).toBe(1)
    channel.open(100)
    await turn()
    expect(released).toBe(2)
    socket.emit('close')
    expect(released).toBe(2)

    const lost = new WindowChannel()
    const other = new ChannelStream(lost, path, () => {})
    other.write(RECORD)
    other.whenReleased(release)
    expect(released).toBe(2)
    socket.destroy()
    await turn()
    expect(released).toBe(3)
    other.whenReleased(release)
    expect(released).toBe(4)
    other.close()
  })
})

describe('a channel stream on a slow path', () => {
  beforeEach(() => {
    path.pace.isFast = false
    channel.open(1e6)
  })

  it('is full while too much is under way, and looks again when that can have been sent', async () => {
    path.over = 10_000
    expect([stream.isFull, stream.isFull, vi.getTimerCount()]).toEqual([true, true, 1])
    const ms = (10_000 + path.pace.piece / 2) / path.pace.rate
    vi.advanceTimersByTime(ms - 1)
    expect(drained).toBe(0)
    path.over = 500
    vi.advanceTimersByTime(1)
    expect([drained, vi.getTimerCount()]).toEqual([0, 1])
    path.over = -1
    vi.advanceTimersByTime(path.pace.piece / path.pace.rate)
    expect([drained, vi.getTimerCount()]).toEqual([1, 0])
  })

  it('leaves no timer behind', () => {
    path.over = 10_000
    expect(stream.isFull).toBe(true)
    stream.close()
    vi.advanceTimersByTime(1000)
    expect([drained, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('looks at a socket again that was written to while the path was fast', async () => {
    path.pace.isFast = true
    socket.stuck = true
    stream.write(RECORD)
    socket.write(RECORD)
    path.pace.isFast = false
    expect(stream.isFull).toBe(true)
    socket.stuck = false
    await turn()
    vi.advanceTimersByTime(50)
    expect([drained > 0, stream.isFull]).toEqual([true, false])
  })
})

describe('a channel stream that takes flows over', () => {
  let now = 1000
  beforeEach(() => {
    channel.open(1e6)
    stream.close()
    now = 1000
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    stream = new ChannelStream(channel, path, () => drained++, true)
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  const pass = (ms: number): void => {
    now += ms
    vi.advanceTimersByTime(ms)
  }

  it.each([true, false])('is full until what went before has arrived, fast: %s', (isFast) => {
    path.pace.isFast = isFast
    pass(10_000)
    expect([stream.isFull, stream.isTakingOver, drained]).toEqual([true, true, 0])
    // Half of a round trip of 100 ms, and 200 ms.
    stream.answered(now - 100, now)
    pass(249)
    expect([stream.isFull, drained]).toEqual([true, 0])
    stream.answered(now - 100, now)
    pass(1)
    expect([stream.isFull, stream.isTakingOver, drained]).toEqual([false, false, 1])
  })
})

it('is deaf with much that is not read, wherever it waits', () => {
  expect(isDeaf(channel, { stream: socket, socket })).toBe(false)
  channel.write(Buffer.alloc(80_000))
  socket.stuck = true
  socket.write(Buffer.alloc(40_000))
  expect(isDeaf(channel, { stream: socket, socket })).toBe(false)
  socket.write(Buffer.alloc(20_000))
  expect(isDeaf(channel, { stream: socket, socket })).toBe(true)
})
