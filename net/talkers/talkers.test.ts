import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DROP_SHORT, DROP_VLAN } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { MemoryPort } from '#net/port/memory.ts'
import { RECEIVED, SENT } from '#net/switch/observer.ts'
import { Switch } from '#net/switch/switch.ts'
import { type TalkerReading, Talkers } from '#net/talkers/talkers.ts'
import { GSO_TCPV4, putHeader, VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const lab = new Switch({ name: 'lab' })
const entries = [1, 2, 3].map(() => lab.addEntry())
const entry = (port: number) => entries[port - 1] ?? lab.addEntry()

interface Sent {
  readonly host: number
  readonly vlan: number
  readonly port: number
  readonly octets: number
}

const memory = new FrameMemory(new Uint8Array(VIRTIO_HEADER_LEN + 2000))
const START = VIRTIO_HEADER_LEN

function write({ host, vlan }: Pick<Sent, 'host' | 'vlan'>, tpid = 0x8100): void {
  const b = memory.bytes
  b.fill(0)
  b.set([2, 0, host >>> 24, host >>> 16, host >>> 8, host], START + 6)
  const tag = vlan === 0 ? [] : [tpid >> 8, tpid & 255, 0xe0 | (vlan >> 8), vlan & 255]
  b.set([...tag, 0x88, 0xb5], START + 12)
}

function send(talkers: Talkers, sent: Sent, reason = -1): void {
  write(sent)
  talkers.frame(entry(sent.port), RECEIVED, reason, memory, START, START + sent.octets)
}

const addressOf = (host: number): string =>
  [2, 0, host >>> 24, (host >>> 16) & 255, (host >>> 8) & 255, host & 255]
    .map((octet) => octet.toString(16).padStart(2, '0'))
    .join(':')

/** Sums in a map that has no bound. */
function model(all: readonly Sent[]): TalkerReading[] {
  const sums = new Map<string, TalkerReading>()
  for (const { host, vlan, port, octets } of all) {
    const key = `${host} ${vlan} ${port}`
    const before = sums.get(key) ?? { address: addressOf(host), vlan, port, frames: 0, octets: 0 }
    sums.set(key, { ...before, frames: before.frames + 1, octets: before.octets + octets })
  }
  return [...sums.values()]
}

const byKey = (talkers: readonly TalkerReading[]): TalkerReading[] =>
  talkers.toSorted((a, b) => a.address.localeCompare(b.address) || a.vlan - b.vlan || a.port - b.port)

/** Senders that fit even one set, and what they send. */
const frames = fc
  .array(
    fc.record({
      host: fc.nat({ max: 0xffff_ffff }),
      vlan: fc.constantFrom(0, 1, 10, 4094),
      port: fc.constantFrom(1, 2, 3),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .chain((senders) =>
    fc.array(fc.record({ sender: fc.constantFrom(...senders), octets: fc.integer({ min: 60, max: 1514 }) }), {
      maxLength: 60,
    }),
  )
  .map((all) => all.map(({ sender, octets }) => ({ ...sender, octets })))

describe('Talkers', () => {
  it('count as a map does, while they are few', () => {
    fc.assert(
      fc.property(frames, fc.integer(), (all, seed) => {
        const talkers = new Talkers(seed)
        for (const sent of all) send(talkers, sent)
        expect(byKey(talkers.read(9))).toEqual(byKey(model(all)))
      }),
    )
  })

  it('show 1000 senders exactly', () => {
    const talkers = new Talkers(7)
    const all = Array.from({ length: 3000 }, (_, i) => ({ host: i % 1000, vlan: 0, port: 1, octets: 60 + i }))
    for (const sent of all) send(talkers, sent)
    const exact = new Set(model(all).map((talker) => JSON.stringify(talker)))
    expect(talkers.read(5000).filter((talker) => exact.has(JSON.stringify(talker))).length).toBeGreaterThan(
      990,
    )
  })

  it('keep those who send much through a flood of made-up addresses', () => {
    const talkers = new Talkers(3)
    const heavy = Array.from({ length: 20 }, (_, host) => ({ host, vlan: 10, port: 2, octets: 1514 }))
    // Half of the flood before they begin, half while they send; a tenth of all octets is theirs.
    for (let i = 0; i < 200_000; i++) send(talkers, { host: 0x1000 + i, vlan: 0, port: 1, octets: 60 })
    for (let i = 0; i < 200_000; i++) {
      send(talkers, { host: 0x100_0000 + i, vlan: 0, port: 1, octets: 60 })
      const sent = heavy[i % 400]
      if (sent) send(talkers, sent)
    }
    const first = talkers.read(20)
    expect(first.map(({ address }) => address).toSorted()).toEqual(
      heavy.map(({ host }) => addressOf(host)).toSorted(),
    )
    for (const { frames: count, octets, vlan, port } of first) {
      expect([vlan, port, octets]).toEqual([10, 2, count * 1514])
      expect(count).toBeGreaterThan(490)
      expect(count).toBeLessThanOrEqual(500)
    }
  })

  it('read at most as many as are asked for', () => {
    const talkers = new Talkers(1)
    for (let host = 0; host < 50; host++) send(talkers, { host, vlan: 0, port: 1, octets: 60 + host })
    expect(talkers.read(2).map(({ octets }) => octets)).toEqual([109, 108])
  })

  it('count a super-frame as the wire frames that it stands for', () => {
    const talkers = new Talkers(1)
    write({ host: 1, vlan: 0 })
    const b = memory.bytes
    const octets = 54 + 1900
    b.set([0x08, 0x00, 0x45, 0, (octets - 14) >> 8, (octets - 14) & 255], START + 12)
    b[START + 14 + 9] = 6
    b[START + 14 + 20 + 12] = 0x50
    putHeader(b, START, 1, GSO_TCPV4, 54, 1000, 34, 16)
    talkers.frame(entry(1), RECEIVED, -1, memory, START, START + octets)
    expect(talkers.read(1)).toMatchObject([{ frames: 2, octets: octets + 54 }])
  })

  it('know outer tags of every TPID, and what is received only', () => {
    const talkers = new Talkers(1)
    for (const tpid of [0x8100, 0x88a8, 0x9100, 0x9200]) {
      write({ host: 1, vlan: 4094 }, tpid)
      talkers.frame(entry(1), RECEIVED, -1, memory, START, START + 64)
    }
    talkers.frame(entry(1), SENT, -1, memory, START, START + 64)
    // A tag that is cut off is none.
    talkers.frame(entry(1), RECEIVED, -1, memory, START, START + 16)
    send(talkers, { host: 2, vlan: 0, port: 1, octets: 64 }, DROP_VLAN)
    send(talkers, { host: 3, vlan: 0, port: 1, octets: 4 }, DROP_SHORT)
    expect(byKey(talkers.read(9))).toEqual([
      { address: addressOf(1), vlan: 0, port: 1, frames: 1, octets: 16 },
      { address: addressOf(1), vlan: 4094, port: 1, frames: 4, octets: 256 },
      { address: addressOf(2), vlan: 0, port: 1, frames: 1, octets: 64 },
    ])
  })

  it('allocate nothing per frame', () => {
    const talkers = new Talkers(1)
    let host = 0
    write({ host, vlan: 0 })
    const step = (): void => {
      memory.bytes[START + 8] = host++ & 255
      memory.bytes[START + 9] = (host >> 8) & 255
      for (let i = 0; i < 8; i++)
        talkers.frame(entries[0] ?? entry(1), RECEIVED, -1, memory, START, START + 60)
    }
    expect(bytesPerCall(step)).toBeLessThan(1)
  })

  it('look on at a switch while they are asked to', () => {
    const talkers = new Talkers(1)
    const watched = new Switch({ name: 'watched' })
    const port = watched.addEntry()
    const memoryPort = new MemoryPort(port.counters, port)
    port.connect(memoryPort)
    const octets = new Uint8Array(60)
    octets.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 9, 0x88, 0xb5])
    memoryPort.inject(octets)
    expect(port.observer).toBeNull()
    watched.observe(talkers)
    memoryPort.inject(octets)
    watched.unobserve(talkers)
    memoryPort.inject(octets)
    expect(port.observer).toBeNull()
    expect(talkers.read(9)).toEqual([{ address: addressOf(9), vlan: 0, port: 1, frames: 1, octets: 60 }])
    watched.close()
  })
})
