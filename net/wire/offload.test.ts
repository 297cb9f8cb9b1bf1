import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { superFrameHeaderLength } from '#net/wire/offload.ts'
import { GSO_ECN, GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, putHeader } from '#net/wire/virtio.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const MACS = '020000000002 020000000001'
const V4 = (protocol: string): string => `4500 0047 ffff 4000 40${protocol} 0000 c0000201 c0000202`
const V4_OPTIONS = '4600 004b ffff 0000 4006 0000 c0000201 c0000202 94040000'
const ADDRESSES = '20010db8000000000000000000000001 20010db8000000000000000000000002'
const V6 = (next: string): string => `60000000 001b ${next} 40 ${ADDRESSES}`
const TCP = '03e8 07d0 fffffffa 00000007 5010 01f4 0000 0000'
const TCP_OPTIONS = '03e8 07d0 fffffffa 00000007 8010 01f4 0000 0000 0101080a 00000001 00000002'
const UDP = '03e8 07d0 001b 0000'
const TAGS = '9200 0001 9100 0002 88a8 0003 8100 000a'
const HOP_BY_HOP = '2b 00 01 04 00000000'
const ROUTING = '3c 02 00 00 00000000 20010db8000000000000000000000003'
const OPTIONS = '06 00 01 04 00000000'

const START = 16
/** A frame as the kernel gives those it has merged: the virtio header has only type and size. */
function frame(type: number, headers: string, payload = 'aabbcc'): Uint8Array {
  const octets = Buffer.from((headers + payload).replaceAll(' ', ''), 'hex')
  const b = new Uint8Array(START + octets.length)
  b.set(octets, START)
  putHeader(b, START, 0, type, 0, 1448, 0, 0)
  return b
}
const lengthOf = (b: Uint8Array): number => superFrameHeaderLength(b, START, b.length)

const FITTING: [string, number, string][] = [
  ['TCP over IPv4', GSO_TCPV4, `${MACS} 0800 ${V4('06')} ${TCP}`],
  ['TCP over IPv4 with CWR', GSO_TCPV4 | GSO_ECN, `${MACS} 0800 ${V4('06')} ${TCP}`],
  ['IPv4 and TCP options behind four tags', GSO_TCPV4, `${MACS} ${TAGS} 0800 ${V4_OPTIONS} ${TCP_OPTIONS}`],
  ['TCP over IPv6', GSO_TCPV6, `${MACS} 86dd ${V6('06')} ${TCP}`],
  [
    'extension headers behind a tag',
    GSO_TCPV6,
    `${MACS} 8100 000a 86dd ${V6('00')} ${HOP_BY_HOP} ${ROUTING} ${OPTIONS} ${TCP}`,
  ],
  ['UDP over IPv4', GSO_UDP_L4, `${MACS} 0800 ${V4('11')} ${UDP}`],
  ['UDP over IPv6', GSO_UDP_L4, `${MACS} 86dd ${V6('11')} ${UDP}`],
]

describe('superFrameHeaderLength', () => {
  it.each(FITTING)('%s: to the end of the headers', (_, type, headers) => {
    expect(lengthOf(frame(type, headers))).toBe(headers.replaceAll(' ', '').length / 2)
    expect(lengthOf(frame(type, headers, ''))).toBe(headers.replaceAll(' ', '').length / 2)
  })
  it.each(FITTING)('%s: 0 for every truncation', (_, type, headers) => {
    const b = frame(type, headers, '')
    for (let end = START; end < b.length; end++) expect(superFrameHeaderLength(b, START, end)).toBe(0)
  })
  it.each([
    ['no super-frame', GSO_NONE, `${MACS} 0800 ${V4('06')} ${TCP}`],
    ['an unknown type', 2, `${MACS} 0800 ${V4('06')} ${TCP}`],
    ['TCPv4 that is IPv6', GSO_TCPV4, `${MACS} 86dd ${V6('06')} ${TCP}`],
    ['TCPv6 that is IPv4', GSO_TCPV6, `${MACS} 0800 ${V4('06')} ${TCP}`],
    ['TCPv4 that is UDP', GSO_TCPV4, `${MACS} 0800 ${V4('11')} ${TCP}`],
    ['UDP that is TCP', GSO_UDP_L4, `${MACS} 86dd ${V6('06')} ${TCP}`],
    ['ARP', GSO_TCPV4, `${MACS} 0806 ${V4('06')} ${TCP}`],
    ['five tags', GSO_TCPV4, `${MACS} ${TAGS} 8100 0005 0800 ${V4('06')} ${TCP}`],
    ['a fragment', GSO_TCPV4, `${MACS} 0800 4500 0047 ffff 2000 4006 0000 c0000201 c0000202 ${TCP}`],
    ['an IPv6 fragment', GSO_TCPV6, `${MACS} 86dd ${V6('2c')} 06 00 0001 00000007 ${TCP}`],
  ])('0 for %s', (_, type, headers) => {
    expect(lengthOf(frame(type, headers))).toBe(0)
  })
  it('never reads past the end, whatever the octets', () => {
    const damage = fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 4 })
    fc.assert(
      fc.property(fc.constantFrom(...FITTING), damage, fc.nat(140), ([, type, headers], changes, cut) => {
        const whole = frame(type, headers)
        for (const [i, octet] of changes) if (START + i < whole.length) whole[START + i] = octet
        const b = whole.subarray(0, Math.min(whole.length, START + cut))
        const length = superFrameHeaderLength(fenced(b), START, b.length)
        expect(length).toBeLessThanOrEqual(b.length - START)
      }),
      { numRuns: 2000 },
    )
  })
  it('allocates nothing', () => {
    for (const [, type, headers] of FITTING) {
      const b = frame(type, headers)
      expect(bytesPerCall(() => void lengthOf(b), 20_000)).toBeLessThan(8)
    }
  })
})

/** The same octets, where reading outside throws instead of giving undefined. */
function fenced(b: Uint8Array): Uint8Array {
  return new Proxy(b, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (value === undefined) throw new RangeError(`read of ${String(key)} in ${target.length} octets`)
      return value
    },
  })
}
