import { describe, expect, it } from 'vitest'
import type { InjectedHeader } from '#net/port/memory.ts'
import { putU16, u16, u32 } from '#net/wire/octets.ts'
import { FLAG_DATA_VALID, FLAG_NEEDS_CHECKSUM, GSO_TCPV4 } from '#net/wire/virtio.ts'
import { BROADCAST, frameOf, host, SwitchLab } from '#test/support/switch-lab.ts'

describe('super-frames and unfinished checksums', () => {
  const PAYLOAD = 10_000
  const MSS = 1448
  const SEGMENTS = Math.ceil(PAYLOAD / MSS)
  const HEADERS = 14 + 20 + 20
  const header = (tagLength: number): InjectedHeader => ({
    flags: FLAG_NEEDS_CHECKSUM,
    gsoType: GSO_TCPV4,
    headerLength: HEADERS + tagLength,
    gsoSize: MSS,
    checksumStart: 34 + tagLength,
    checksumOffset: 16,
  })
  const body = segment(PAYLOAD)

  function expectCut(sent: readonly Uint8Array[] | undefined, tag: number): void {
    expect(sent?.length).toBe(SEGMENTS)
    const payload: number[] = []
    sent?.forEach((frame, i) => {
      const ip = 14 + tag
      expect(u16(frame, ip + 2)).toBe(frame.length - ip)
      expect(u32(frame, ip + 24)).toBe(i * MSS)
      payload.push(...frame.slice(ip + 40))
    })
    expect(payload).toEqual(Array.from(body.slice(42)))
  }

  it('go whole to ports that take them, and are cut once for the others', () => {
    const lab = new SwitchLab([
      {},
      {},
      { options: { superFrames: false, maxFrame: 1514 } },
      { options: { superFrames: false, maxFrame: 1514 } },
    ])
    const frame = frameOf(BROADCAST, host(1), '', body)
    lab.port(1).inject(frame, header(0))
    const [, whole, cut, cutToo] = lab.take()
    expect(whole).toEqual([frame])
    expectCut(cut, 0)
    expect(cutToo).toEqual(cut)
    const counters = lab.entries.map((entry) => entry.counters.read())
    expect(counters.map((c) => c.inFrames + c.outFrames)).toEqual([SEGMENTS, SEGMENTS, SEGMENTS, SEGMENTS])
    const octets = PAYLOAD + SEGMENTS * HEADERS
    expect(counters.map((c) => c.inOctets + c.outOctets)).toEqual([octets, octets, octets, octets])
    lab.bridge.close()
  })

  it('are cut after their tag was changed', () => {
    const lab = new SwitchLab([
      { mode: 'mode=access,vlan=10' },
      { mode: 'mode=trunk', options: { superFrames: false, maxFrame: 1518 } },
      { mode: 'mode=access,vlan=10', options: { superFrames: false, maxFrame: 1514 } },
      { mode: 'mode=trunk' },
    ])
    lab.port(1).inject(frameOf(BROADCAST, host(1), '', body), header(0))
    const headers = lab.port(4).sentHeaders[0]
    const [, trunk, access, whole] = lab.take()
    expectCut(access, 0)
    expectCut(trunk, 4)
    expect(trunk?.every((frame) => u32(frame, 12) === 0x8100_000a)).toBe(true)
    expect(whole).toEqual([frameOf(BROADCAST, host(1), '8100.10', body)])
    expect([...(headers ?? [])]).toEqual([1, 1, 58, 0, MSS & 255, MSS >> 8, 38, 0, 16, 0])
    lab.bridge.close()
  })

  it('are dropped for a port that their wire frames do not fit, counted as wire frames', () => {
    const lab = new SwitchLab([
      {},
      { options: { maxFrame: HEADERS + MSS } },
      { options: { maxFrame: HEADERS + MSS - 1 } },
      { options: { superFrames: false, maxFrame: HEADERS + MSS - 1 } },
    ])
    lab.port(1).inject(frameOf(BROADCAST, host(1), '', body), header(0))
    // The last segment is short enough for the port that gets wire frames.
    expect(lab.take().map((sent) => sent.length)).toEqual([0, 1, 0, 1])
    expect(lab.entries.map((entry) => entry.counters.read().outDrops)).toEqual([
      {},
      {},
      { 'too-big': SEGMENTS },
      { 'too-big': SEGMENTS - 1 },
    ])
    lab.port(1).inject(frameOf(BROADCAST, host(1), '', new Uint8Array(HEADERS + MSS - 11)))
    expect(lab.entries.map((entry) => entry.counters.outDrops[1])).toEqual([0, 1, SEGMENTS + 1, SEGMENTS])
    lab.bridge.close()
  })

  it('count as wire frames when the link is down', () => {
    const lab = new SwitchLab([{}, { options: { up: false } }])
    lab.port(1).inject(frameOf(BROADCAST, host(1), '', body), header(0))
    expect(lab.entry(2).counters.read().outDrops).toEqual({ 'link-down': SEGMENTS })
  })

  it('a checksum is completed for a port that wants finished frames', () => {
    const lab = new SwitchLab([{}, { options: { superFrames: false } }, {}])
    const octets = frameOf(BROADCAST, host(1), '', segment(10))
    const open = { flags: FLAG_NEEDS_CHECKSUM, checksumStart: 34, checksumOffset: 16 }
    lab.port(1).inject(octets, open)
    const [, [finished] = [], whole] = lab.take()
    expect(whole).toEqual([octets])
    expect(finished?.length).toBe(octets.length)
    expect(u16(finished ?? octets, 50)).not.toBe(0)
    lab.port(1).inject(octets, { flags: FLAG_DATA_VALID })
    expect(lab.take()[1]).toEqual([octets])
    lab.bridge.close()
  })

  it('a header that cannot be true is dropped at the port that it came from, or where it has to be finished', () => {
    const lab = new SwitchLab([{}, { options: { superFrames: false } }, {}])
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''), { gsoType: 77, gsoSize: 100 })
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''), { flags: 1, checksumStart: 9000 })
    expect(lab.bridge.addresses()).toEqual([])
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''), { gsoType: GSO_TCPV4, gsoSize: 100 })
    expect(lab.take().map((sent) => sent.length)).toEqual([0, 0, 1])
    expect(lab.entry(1).counters.read().inDrops).toEqual({ 'bad-offload': 2 })
    expect(lab.entry(2).counters.read().outDrops).toEqual({ 'bad-offload': 1 })
    lab.bridge.close()
  })

  it('many in one batch go through the finisher although they do not fit it at once', () => {
    const lab = new SwitchLab([{}, { options: { superFrames: false } }, {}])
    const frame = frameOf(BROADCAST, host(1), '', body)
    lab.port(1).injectBatch(Array<Uint8Array>(200).fill(frame), header(0))
    expect(lab.port(2).sent.length).toBe(200 * SEGMENTS)
    expectCut(lab.port(2).sent.slice(-SEGMENTS), 0)
    expect(lab.port(2).flushes).toBeGreaterThan(1)
    lab.bridge.close()
  })
})

/** EtherType and TCP over IPv4 with a payload that tells where it is from. */
function segment(payload: number): Uint8Array {
  const b = new Uint8Array(2 + 40 + payload)
  putU16(b, 0, 0x0800)
  b.set([0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 2)
  putU16(b, 4, 40 + payload)
  b.set([0, 80, 0, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x18, 1, 0, 0, 0, 0, 0], 22)
  for (let i = 0; i < payload; i++) b[42 + i] = (i * 31) >> 4
  return b
}
