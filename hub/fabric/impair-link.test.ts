import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FLAG_NEEDS_CHECKSUM, GSO_TCPV4 } from '#net/wire/virtio.ts'
import { MemoryPort } from '#net/port/memory.ts'
import { Bridge } from '#hub/fabric/bridge.ts'
import { applySettings, PORT_SETTINGS, type PortTarget, readSettings } from '#hub/fabric/settings.ts'
import { BROADCAST, frameOf, host } from '#test/support/switch-lab.ts'

const FRAME = frameOf(BROADCAST, host(1), '')
let bridge: Bridge
let targets: PortTarget[]
let ports: MemoryPort[]

beforeEach(() => {
  bridge = new Bridge({ name: 'private0' }, () => {})
  targets = [1, 2, 3].map(() => ({ bridge, entry: bridge.switch.addEntry() }))
  ports = targets.map(({ entry }) => {
    const port = new MemoryPort(entry.counters, entry)
    entry.connect(port)
    return port
  })
})
afterEach(() => bridge.close())

function target(n: number): PortTarget {
  const found = targets[n - 1]
  if (!found) throw new Error(`no port ${n}`)
  return found
}
const set = (n: number, settings: Record<string, string>): void =>
  applySettings(PORT_SETTINGS, target(n), settings)
const read = (n: number): Record<string, string> => readSettings(PORT_SETTINGS, target(n))
/** Frames that each port was sent since the last call. */
const sent = (): number[] => ports.map((port) => port.take().length)

describe('settings of the link', () => {
  it('are read back whole, with the seed that was drawn', () => {
    set(1, { 'impair-out': 'loss=1%,delay=50ms,seed=7' })
    expect(read(1)).toEqual({ 'impair-out': 'delay=50ms,loss=1%,seed=7' })
    set(1, { impair: 'rate=1mbit' })
    const { 'impair-in': inwards, 'impair-out': outwards } = read(1)
    expect(inwards).toMatch(/^rate=1mbit,seed=\d+$/)
    expect(outwards).toBe(inwards)
    set(1, { 'impair-in': 'none', link: 'down' })
    expect(read(1)).toEqual({ 'impair-out': outwards, link: 'down' })
    set(1, { impair: 'none', link: 'up' })
    expect(read(1)).toEqual({})
  })

  it('are refused whole', () => {
    expect(() => set(1, { 'impair-out': 'delay=1ms', link: 'sideways' })).toThrow('it is up or down')
    expect(() => set(1, { impair: 'delay=1' })).toThrow('impairment delay=1 is not valid')
    expect(read(1)).toEqual({})
  })
})

describe('an impaired link', () => {
  it('loses frames of one direction, counted as drops of it', () => {
    set(2, { 'impair-out': 'loss=100%' })
    ports[0]?.inject(FRAME)
    ports[1]?.inject(FRAME)
    expect(sent()).toEqual([1, 0, 2])
    expect(target(2).entry.counters.read()).toMatchObject({
      inFrames: 1,
      inDrops: {},
      outFrames: 0,
      outDrops: { loss: 1 },
    })
    set(2, { 'impair-out': 'none', 'impair-in': 'loss=100%' })
    ports[0]?.inject(FRAME)
    ports[1]?.inject(FRAME)
    expect(sent()).toEqual([0, 1, 1])
    expect(target(2).entry.counters.read()).toMatchObject({ inFrames: 2, inDrops: { loss: 1 }, outFrames: 1 })
  })

  it('delays frames by the clock, and delivers what is under way when it is cleared', async () => {
    const since = performance.now()
    set(2, { impair: 'delay=20ms' })
    ports[0]?.inject(FRAME)
    ports[1]?.inject(FRAME)
    expect(sent()).toEqual([0, 0, 1])
    await expect.poll(sent, { timeout: 5000 }).toEqual([1, 1, 1])
    expect(performance.now() - since).toBeGreaterThanOrEqual(20)
    set(2, { impair: 'delay=60s' })
    ports[0]?.inject(FRAME)
    expect(sent()).toEqual([0, 0, 1])
    set(2, { impair: 'none' })
    expect(sent()).toEqual([0, 1, 0])
  })

  it('counts frames under way to a port that goes', () => {
    const { entry } = target(2)
    set(2, { impair: 'delay=60s' })
    ports[0]?.inject(FRAME)
    ports[1]?.inject(FRAME)
    entry.disconnect()
    bridge.switch.removeEntry(2)
    expect(entry.counters.read()).toMatchObject({ outDrops: { 'link-down': 1 }, inDrops: { 'link-down': 1 } })
    expect(sent()).toEqual([0, 0, 1])
  })

  it('works on wire frames: a super-frame is cut, on the way in and out', async () => {
    const octets = frameOf(BROADCAST, host(1), '', segment(10_000))
    const header = {
      flags: FLAG_NEEDS_CHECKSUM,
      gsoType: GSO_TCPV4,
      gsoSize: 1448,
      checksumStart: 34,
      checksumOffset: 16,
    }
    set(2, { impair: 'delay=1ms' })
    ports[0]?.inject(octets, header)
    await expect.poll(() => ports[1]?.sent.length, { timeout: 5000 }).toBe(7)
    expect(ports[1]?.take().at(-1)?.length).toBe(10_000 - 6 * 1448 + 54)
    expect(target(2).entry.counters.outFrames).toBe(7)
    // Where there is no impairment, it goes whole.
    expect(ports[2]?.sentHeaders[0]?.[1]).toBe(GSO_TCPV4)
    ports[2]?.take()
    ports[1]?.inject(octets, header)
    await expect.poll(() => ports[2]?.sent.length, { timeout: 5000 }).toBe(7)
  })
})

describe('link=down', () => {
  it('lets nothing pass, forgets addresses, and comes back', () => {
    ports[1]?.inject(FRAME)
    expect(bridge.switch.addresses().length).toBe(1)
    set(2, { link: 'down' })
    expect(bridge.switch.addresses()).toEqual([])
    expect(target(2).entry.isUp).toBe(false)
    sent()
    ports[0]?.inject(FRAME)
    ports[1]?.inject(FRAME)
    expect(sent()).toEqual([0, 0, 1])
    expect(target(2).entry.counters.read()).toMatchObject({
      inDrops: { 'link-down': 1 },
      outDrops: { 'link-down': 1 },
    })
    set(2, { link: 'up' })
    ports[0]?.inject(FRAME)
    expect(sent()).toEqual([0, 1, 1])
  })
})

/** An IPv4 packet of TCP with so many octets of payload, from its EtherType on. */
function segment(payload: number): Uint8Array {
  const octets = new Uint8Array(2 + 40 + payload)
  octets.set([0x08, 0x00, 0x45, 0, (payload + 40) >> 8, (payload + 40) & 0xff, 0, 0, 0, 0, 64, 6])
  octets[2 + 20 + 12] = 0x50
  return octets
}
