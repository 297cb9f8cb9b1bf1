import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  EthernetHeader,
  HEADER_LEN,
  isTpid,
  MAX_TAGS,
  popTag,
  pushTag,
  putEthernet,
  TAG_LEN,
  TPID_C_TAG,
  TPID_QINQ_9100,
  TPID_QINQ_9200,
  TPID_S_TAG,
} from '#net/wire/ethernet.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const ADDRESSES = 'ffffffffffff 020000000001'
const FOUR_TAGS = octets(`${ADDRESSES} 9200 0001 9100 2002 88a8 6064 8100 f00a 0800 4500`)
const HEADERS = HEADER_LEN + 4 * TAG_LEN

describe('EthernetHeader.decode', () => {
  it('reads the tags of all four kinds, outermost first', () => {
    const h = new EthernetHeader()
    expect(h.decode(FOUR_TAGS, 0, FOUR_TAGS.length)).toBe(true)
    expect([...h.tpid]).toEqual([TPID_QINQ_9200, TPID_QINQ_9100, TPID_S_TAG, TPID_C_TAG])
    expect([...h.tci]).toEqual([0x0001, 0x2002, 0x6064, 0xf00a])
    expect([h.tagCount, h.etherType, h.payload]).toEqual([4, ETHERTYPE_IPV4, HEADERS])
  })
  it('takes a fifth tag for payload', () => {
    const b = octets(`${ADDRESSES} ${'8100 0001 '.repeat(5)} 0800`)
    const h = new EthernetHeader()
    expect(h.decode(b, 0, b.length)).toBe(true)
    expect([h.tagCount, h.etherType, h.payload]).toEqual([MAX_TAGS, TPID_C_TAG, HEADERS])
  })
  it('forgets the tags of the frame before', () => {
    const h = new EthernetHeader()
    h.decode(FOUR_TAGS, 0, FOUR_TAGS.length)
    const arp = octets(`${ADDRESSES} 0806`)
    expect(h.decode(arp, 0, arp.length)).toBe(true)
    expect([h.tagCount, h.etherType, h.payload]).toEqual([0, ETHERTYPE_ARP, 14])
  })
  it('refuses every truncation of the header', () => {
    const h = new EthernetHeader()
    for (let end = 0; end < HEADERS; end++) expect(h.decode(FOUR_TAGS, 0, end), `end ${end}`).toBe(false)
    expect(h.decode(FOUR_TAGS, 0, HEADERS)).toBe(true)
  })
  it('allocates nothing', () => {
    const h = new EthernetHeader()
    expect(bytesPerCall(() => void h.decode(FOUR_TAGS, 0, FOUR_TAGS.length))).toBeLessThan(8)
  })
})

it('putEthernet writes what decode reads', () => {
  const b = new Uint8Array(16)
  expect(putEthernet(b, 1, octets('ffffffffffff'), octets('020000000001'), ETHERTYPE_ARP)).toBe(15)
  expect(b).toEqual(octets(`00 ${ADDRESSES} 0806 00`))
})

const frame = fc.uint8Array({ minLength: HEADER_LEN, maxLength: 100 })
const tpid = fc.constantFrom(TPID_C_TAG, TPID_S_TAG, TPID_QINQ_9100, TPID_QINQ_9200)

describe('pushTag and popTag', () => {
  it('put the tag outside, keep the rest, and undo each other', () => {
    fc.assert(
      fc.property(frame, tpid, fc.nat(0xffff), (octetsOf, type, tci) => {
        const b = new Uint8Array(TAG_LEN + octetsOf.length)
        b.set(octetsOf, TAG_LEN)
        expect(pushTag(b, TAG_LEN, type, tci)).toBe(0)
        const h = new EthernetHeader()
        expect(isTpid(type)).toBe(true)
        // The octets after the tag may begin another one that is cut short.
        const outer = h.decode(b, 0, b.length) ? [h.tpid[0], h.tci[0]] : [type, tci]
        expect(outer).toEqual([type, tci])
        expect(Buffer.concat([b.subarray(0, 12), b.subarray(16)]).equals(octetsOf)).toBe(true)
        expect(popTag(b, 0)).toBe(TAG_LEN)
        expect(b.subarray(TAG_LEN)).toEqual(octetsOf)
      }),
    )
  })
  it('allocate nothing', () => {
    const b = new Uint8Array(68)
    expect(bytesPerCall(() => void popTag(b, pushTag(b, 4, TPID_C_TAG, 7)))).toBeLessThan(8)
  })
})
