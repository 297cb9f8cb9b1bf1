import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '#net/base/errors.ts'
import { dropReasonName } from '#net/port/counters.ts'
import { Block, formatBlock, parseBlock } from '#net/switch/guards/block.ts'
import { setGuard } from '#net/switch/guards/port-guard.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { SwitchLab } from '#test/support/switch-lab.ts'

const HOST = '020000000001'
const OTHER = '020000000002'
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const u16 = (n: number): string => n.toString(16).padStart(4, '0')

/** A frame from `HOST`; `before` is what stands between the source and the type. */
const frame = (to: string, before: string, type: string, payload: string): Uint8Array =>
  hex(to + HOST + before + type + payload)

const udp = (from: number, to: number): string => `${u16(from)}${u16(to)}00100000${'ab'.repeat(8)}`
/** @param fragment  flags and offset of the fragment field */
const ipv4 = (protocol: string, payload: string, fragment = '0000', options = ''): string => {
  const length = 20 + (options.length + payload.length) / 2
  return `4${5 + options.length / 8}00${u16(length)}0001${fragment}40${protocol}00000a000001ffffffff${options}${payload}`
}
const ipv6 = (next: string, payload: string, { source = 'fe80', hops = 'ff' } = {}): string =>
  `60000000${u16(payload.length / 2)}${next}${hops}${source}${'00'.repeat(13)}01ff02${'00'.repeat(13)}01${payload}`
const RA = '8600000040000708' + '00'.repeat(8)
const NS = '8700000000000000' + '00'.repeat(16)
/** An extension header of `8 * (units + 1)` octets. */
const extension = (next: string, units = 0): string =>
  next + units.toString(16).padStart(2, '0') + '00'.repeat(6 + 8 * units)
const fragmentHeader = (next: string, offset: number, more = true): string =>
  `${next}00${u16((offset << 3) | Number(more))}00000001`

/** Names of the reasons for which a set blocks a frame; `pass` if it does not. */
const verdict = (set: string, octets: Uint8Array): string => {
  const reason = new Block(parseBlock(set)).check(octets, 0, octets.length)
  return reason < 0 ? 'pass' : dropReasonName(reason)
}
const ALL = 'dhcp+ra+bpdu+pause'
const LAYERS: [string, string][] = [
  ['no tag', ''],
  ['a tag', '8100000a'],
  ['a priority tag', '8100e000'],
  ['two tags', '88a80064 8100000a'],
  ['three tags of VID 0', '8100000081000000 81000000'],
  ['a SNAP header', '0060aaaa03000000'],
  ['a tag, then a SNAP header with a wrong length', '81000000 0001aaaa03000000'],
  ['a SNAP header, then a tag', '0060aaaa03000000 8100000a'],
]

describe('parseBlock', () => {
  it('reads a set and writes it in its order', () => {
    expect(
      ['none', 'dhcp', 'ra+dhcp', 'pause+bpdu+ra+dhcp', 'ra+ra'].map((t) => formatBlock(parseBlock(t))),
    ).toEqual(['none', 'dhcp', 'dhcp+ra', ALL, 'ra'])
  })

  it.each(['', 'arp', 'dhcp+', 'dhcp,ra', 'none+dhcp', 'DHCP'])('refuses "%s"', (text) => {
    expect(() => parseBlock(text)).toThrow(ConfigError)
  })
})

describe.each(LAYERS)('behind %s', (_, before) => {
  it.each([
    ['block-dhcp', '0800', ipv4('11', udp(67, 68))],
    ['block-dhcp', '0800', ipv4('11', udp(67, 67))],
    ['block-dhcp', '0800', ipv4('11', udp(67, 68), '0000', '94040000')],
    ['block-dhcp', '0800', ipv4('11', udp(67, 68), '2000')],
    ['pass', '0800', ipv4('11', udp(68, 67))],
    ['pass', '0800', ipv4('11', udp(67, 68), '2001')],
    ['pass', '0800', ipv4('06', udp(67, 68))],
    ['block-dhcp', '86dd', ipv6('11', udp(547, 546))],
    ['block-dhcp', '86dd', ipv6('00', extension('11') + udp(547, 546))],
    ['block-dhcp', '86dd', ipv6('11', udp(547, 546), { source: '2001', hops: '40' })],
    ['pass', '86dd', ipv6('11', udp(546, 547))],
    ['block-ra', '86dd', ipv6('3a', RA)],
    ['pass', '86dd', ipv6('3a', NS)],
    ['pass', '86dd', ipv6('06', udp(547, 546))],
    ['pass', '0806', '0001080006040001' + '00'.repeat(20)],
  ])('%s: type %s %s', (expected, type, packet) => {
    expect(verdict(ALL, frame('ffffffffffff', before, type, packet))).toBe(expected)
  })
})

describe('router advertisements', () => {
  it.each([
    ['hop-by-hop options', '00', extension('3a') + RA],
    ['a long header of destination options', '3c', extension('3a', 30) + RA],
    [
      'routing, destination and mobility headers',
      '2b',
      extension('3c') + extension('87') + extension('3a') + RA,
    ],
    ['an authentication header', '33', `3a04${'00'.repeat(22)}${RA}`],
    ['a fragment header alone', '2c', fragmentHeader('3a', 0, false) + RA],
    ['a first fragment', '2c', fragmentHeader('3a', 0) + RA],
    ['a first fragment with options', '2c', fragmentHeader('3c', 0) + extension('3a') + RA],
  ])('are found behind %s', (_, next, payload) => {
    expect(verdict('ra', frame(OTHER, '', '86dd', ipv6(next, payload)))).toBe('block-ra')
  })

  it.each([
    ['a first fragment that ends before ICMPv6', '2c', fragmentHeader('3c', 0) + extension('3a')],
    [
      'a first fragment that ends in an extension header',
      '2c',
      fragmentHeader('3c', 0) + extension('3a', 9).slice(0, 40),
    ],
    ['more headers than any host takes', '3c', extension('3c').repeat(100) + extension('3a') + RA],
    ['an ICMPv6 header cut short', '3a', '8600'],
  ])('may be %s, which is blocked', (_, next, payload) => {
    expect(verdict('ra', frame(OTHER, '', '86dd', ipv6(next, payload)))).toBe('block-ra')
  })

  it('are not completed by the padding of a frame', () => {
    const octets = frame(OTHER, '', '86dd', ipv6('2c', fragmentHeader('3c', 0)) + extension('06') + NS)
    expect(verdict('ra', octets)).toBe('block-ra')
  })

  it.each([
    ['a later fragment', ipv6('2c', fragmentHeader('3a', 1) + RA)],
    ['from an address that is not link-local', ipv6('3a', RA, { source: '2001' })],
    ['forwarded by a router', ipv6('3a', RA, { hops: 'fe' })],
    ['no next header', ipv6('3b', '')],
    ['an IPv4 packet in it', ipv6('04', RA)],
    ['of version 4', `4${ipv6('3a', RA).slice(1)}`],
  ])('are none that a host takes: %s', (_, packet) => {
    expect(verdict('ra', frame(OTHER, '', '86dd', packet))).toBe('pass')
  })

  it('are blocked when nobody can tell what is behind the tags', () => {
    expect(verdict('ra', frame(OTHER, '81000000'.repeat(9), '86dd', ipv6('3a', NS)))).toBe('block-ra')
    expect(verdict('dhcp', frame(OTHER, '81000000'.repeat(9), '0800', ''))).toBe('block-dhcp')
    expect(verdict('bpdu', frame(OTHER, '81000000'.repeat(9), '0800', ''))).toBe('pass')
  })
})

describe('frames of switches', () => {
  it.each([
    ['block-bpdu', '0180c2000000', '0026', '424203'],
    ['block-bpdu', '0180c2000008', '0026', '424203'],
    ['block-bpdu', '01000ccccccd', '0032', 'aaaa0300000c010b'],
    ['pass', '01000ccccccc', '0032', 'aaaa0300000c2000'],
    ['pass', '0180c200000e', '88cc', '0207'],
    ['pass', '0180c2000002', '8809', '0101'],
    ['pass', '0080c2000000', '0800', ''],
    ['block-pause', '0180c2000001', '8808', '0001ffff'],
    ['block-pause', OTHER, '8808', '0001ffff'],
    ['block-pause', '0180c2000001', '0800', ''],
  ])('%s: to %s of type %s', (expected, to, type, payload) => {
    expect(verdict(ALL, frame(to, '', type, payload))).toBe(expected)
    expect(verdict('none', frame(to, '', type, payload))).toBe('pass')
    expect(verdict('dhcp+ra', frame(to, '', type, payload))).toBe('pass')
  })

  it('are blocked whatever tags they have', () => {
    expect(verdict('bpdu', frame('01000ccccccd', '8100000a', '0032', 'aaaa0300000c010b'))).toBe('block-bpdu')
    expect(verdict('pause', frame('0180c2000001', '8100000a', '8808', '0001ffff'))).toBe('block-pause')
  })
})

describe('a port that blocks', () => {
  it('drops and counts by name, and is the only one that does', () => {
    const lab = new SwitchLab(Array<string>(2).fill('mode=transparent'))
    setGuard(lab.entry(1), { block: parseBlock(ALL) })
    const answer = frame('ffffffffffff', '8100000a', '0800', ipv4('11', udp(67, 68)))
    const bpdu = frame('0180c2000000', '', '0026', '424203' + '00'.repeat(35))
    for (const port of lab.ports) for (const octets of [answer, bpdu, bpdu]) port.inject(octets)
    expect(lab.entry(1).counters.read().inDrops).toEqual({ 'block-dhcp': 1, 'block-bpdu': 2 })
    expect(lab.entry(2).counters.read().inDrops).toEqual({})
    expect(lab.take().map((sent) => sent.length)).toEqual([3, 0])
  })
})

const packets = [
  ipv4('11', udp(68, 67)),
  ipv6('00', extension('3c') + extension('2c') + fragmentHeader('3a', 0) + NS),
]

it('reads nothing beyond a frame that is cut short', () => {
  for (const [i, packet] of packets.entries()) {
    const whole = frame(OTHER, '8100000a', i === 0 ? '0800' : '86dd', packet)
    const block = new Block(parseBlock(ALL))
    for (let length = 14; length <= whole.length; length++) {
      const verdicts = [0x00, 0x86, 0x43].map((filler) => {
        const memory = new Uint8Array(200).fill(filler)
        memory.set(whole.subarray(0, length))
        return block.check(memory, 0, length)
      })
      expect(new Set(verdicts).size).toBe(1)
    }
  }
})

it('takes any octets', () => {
  const block = new Block(parseBlock(ALL))
  fc.assert(
    fc.property(
      fc.constantFrom('', '81000000', '0001aaaa03000000'),
      fc.constantFrom('0800', '86dd'),
      fc.constantFrom('', '45', '60000000ffff2cff'),
      fc.uint8Array({ maxLength: 120 }),
      (before, type, start, rest) => {
        const octets = Uint8Array.from([...frame(OTHER, before, type, start), ...rest])
        expect(block.check(octets, 0, octets.length)).toBeLessThan(20)
      },
    ),
  )
})

it('allocates nothing per frame', () => {
  const block = new Block(parseBlock(ALL))
  const frames = packets.map((packet, i) => frame(OTHER, '8100000a', i === 0 ? '0800' : '86dd', packet))
  let n = 0
  const step = (): void => {
    const octets = frames[n++ & 1]
    if (octets !== undefined) block.check(octets, 0, octets.length)
  }
  expect(bytesPerCall(step)).toBeLessThan(1)
})
