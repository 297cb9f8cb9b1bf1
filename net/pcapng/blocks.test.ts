import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BlockStream } from '#net/pcapng/block-stream.ts'
import {
  commentOption,
  INBOUND,
  interfaceDescription,
  interfaceStatistics,
  OUTBOUND,
  PACKET_START,
  packetBlockLength,
  putPacketEnd,
  putPacketStart,
  sectionHeader,
} from '#net/pcapng/blocks.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { readPcapng } from '#test/support/pcapng.ts'

const hexOf = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')
const TIME_US = 1_795_731_016_179_236

function packet(
  octets: Uint8Array,
  { direction = INBOUND, comment = '', timeUs = TIME_US, of = 0 } = {},
): Uint8Array {
  const option = comment === '' ? null : commentOption(comment)
  const total = packetBlockLength(octets.length, option)
  // What was in memory before must not show.
  const b = new Uint8Array(total + 8).fill(0xee)
  putPacketStart(b, 4, total, of, Float64Array.of(timeUs), octets.length, octets.length)
  b.set(octets, 4 + PACKET_START)
  putPacketEnd(b, 4, total, octets.length, direction, option)
  expect([b[3], b[total + 4]]).toEqual([0xee, 0xee])
  return b.subarray(4, 4 + total)
}

describe('blocks', () => {
  it('begin a section', () => {
    expect(hexOf(sectionHeader('hub'))).toBe(
      '0a0d0d0a 28000000 4d3c2b1a 0100 0000 ffffffffffffffff 0400 0300 68756200 00000000 28000000'.replaceAll(
        ' ',
        '',
      ),
    )
  })

  it('describe an interface', () => {
    const octets = interfaceDescription({ name: 'lab/1', description: 'nic', snapLength: 65535 })
    expect(hexOf(octets)).toBe(
      '01000000 34000000 0100 0000 ffff0000 0200 0500 6c61622f31000000 0300 0300 6e696300 0900 0100 06000000 00000000 34000000'.replaceAll(
        ' ',
        '',
      ),
    )
  })

  it('hold a packet, its direction and a comment', () => {
    expect(hexOf(packet(Uint8Array.of(1, 2, 3, 4, 5)))).toBe(
      `06000000 34000000 00000000 ${timeHex(TIME_US)} 05000000 05000000 0102030405000000 0200 0400 01000000 00000000 34000000`.replaceAll(
        ' ',
        '',
      ),
    )
    expect(hexOf(packet(Uint8Array.of(9), { direction: OUTBOUND, comment: 'vlan', of: 7 }))).toBe(
      `06000000 38000000 07000000 ${timeHex(TIME_US)} 01000000 01000000 09000000 0200 0400 02000000 0100 0400 766c616e 00000000 38000000`.replaceAll(
        ' ',
        '',
      ),
    )
  })

  it('end with statistics', () => {
    const fields = { interfaceNumber: 2, timeUs: TIME_US, received: 2 ** 32 + 5, dropped: 3 }
    expect(hexOf(interfaceStatistics(fields))).toBe(
      `05000000 34000000 02000000 ${timeHex(TIME_US)} 0400 0800 0500000001000000 0500 0800 0300000000000000 00000000 34000000`.replaceAll(
        ' ',
        '',
      ),
    )
  })

  it('say again what was written', () => {
    const packets = fc.array(
      fc.record({
        octets: fc.uint8Array({ maxLength: 70 }),
        direction: fc.constantFrom(INBOUND, OUTBOUND),
        comment: fc.constantFrom('', 'a', 'dropped: block-dhcp', 'é'),
        timeUs: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      }),
      { maxLength: 5 },
    )
    fc.assert(
      fc.property(packets, fc.string(), (written, name) => {
        const parts = [
          sectionHeader('hub'),
          interfaceDescription({ name, description: 'x', snapLength: 9 }),
          ...written.map(({ octets, ...fields }) => packet(octets, fields)),
        ]
        const file = readPcapng(Buffer.concat(parts))
        expect(file.interfaces).toEqual([{ name, description: 'x', snapLength: 9 }])
        expect(file.packets).toEqual(
          written.map(({ octets, direction, comment, timeUs }) => ({
            interface: 0,
            timeUs,
            direction: direction === INBOUND ? 'in' : 'out',
            comment: comment === '' ? undefined : comment,
            length: octets.length,
            octets: Buffer.from(octets),
          })),
        )
      }),
    )
  })

  it('of packets allocate nothing', () => {
    const b = new Uint8Array(200)
    const comment = commentOption('dropped: vlan')
    const total = packetBlockLength(60, comment)
    const time = Float64Array.of(TIME_US)
    const step = (): void => {
      time[0] = (time[0] ?? 0) + 1
      putPacketStart(b, 0, total, 3, time, 60, 60)
      putPacketEnd(b, 0, total, 60, INBOUND, comment)
    }
    expect(bytesPerCall(step)).toBeLessThan(1)
  })
})

const timeHex = (timeUs: number): string => {
  const octets = Buffer.alloc(8)
  octets.writeUInt32LE(Number(BigInt(timeUs) >> 32n), 0)
  octets.writeUInt32LE(Number(BigInt(timeUs) & 0xffff_ffffn), 4)
  return octets.toString('hex')
}

const statistics = (interfaceNumber: number, dropped: number): Uint8Array =>
  interfaceStatistics({ interfaceNumber, timeUs: TIME_US, received: 9, dropped })

describe('BlockStream', () => {
  const file = Buffer.concat([
    sectionHeader('hub'),
    interfaceDescription({ name: 'a', description: 'b', snapLength: 0 }),
    packet(new Uint8Array(60)),
    packet(new Uint8Array(61), { comment: 'vlan' }),
    statistics(0, 3),
    statistics(1, 4),
  ])

  it('passes whole blocks on, however they come, and counts', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: file.length - 1 }), { maxLength: 8 }), (cuts) => {
        const ends = [...new Set(cuts), file.length].sort((a, b) => a - b)
        const stream = new BlockStream()
        const passed: Uint8Array[] = []
        let from = 0
        for (const end of ends) {
          passed.push(Uint8Array.from(stream.take(file.subarray(from, end))))
          readPcapng(Buffer.concat(passed))
          from = end
        }
        expect(Buffer.concat(passed).equals(file)).toBe(true)
        expect([stream.packets, stream.lost, stream.isComplete]).toEqual([2, 7, true])
      }),
    )
  })

  it('knows a stream that ends early', () => {
    const stream = new BlockStream()
    stream.take(file.subarray(0, -60))
    expect(stream.isComplete).toBe(false)
  })

  it.each([0, 8, 13, 0x20000 + 4])('refuses a block of %i octets', (length) => {
    const header = Buffer.alloc(12)
    header.writeUInt32LE(length, 4)
    expect(() => new BlockStream().take(header)).toThrow(/pcapng block/)
  })
})
