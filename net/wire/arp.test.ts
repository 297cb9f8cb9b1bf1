import { describe, expect, it } from 'vitest'
import { ARP_LEN, ARP_REPLY, ARP_REQUEST, ArpPacket, putArp } from '#net/wire/arp.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const REQUEST = octets('0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202')

describe('ArpPacket', () => {
  it('reads what putArp writes', () => {
    const b = new Uint8Array(ARP_LEN + 1)
    const none = new Uint8Array(6)
    const next = putArp(
      b,
      1,
      ARP_REQUEST,
      octets('020000000001'),
      octets('c0000201'),
      none,
      octets('c0000202'),
    )
    expect(next).toBe(ARP_LEN + 1)
    expect(b.subarray(1)).toEqual(REQUEST)
    const p = new ArpPacket()
    expect(p.decode(b, 1, b.length)).toBe(true)
    expect(p).toEqual({ operation: ARP_REQUEST, senderMac: 9, senderIp: 15, targetMac: 19, targetIp: 25 })
    b[8] = ARP_REPLY
    expect(p.decode(b, 1, b.length) && p.operation).toBe(ARP_REPLY)
  })
  it('refuses every truncation and other kinds of address', () => {
    const p = new ArpPacket()
    for (let end = 0; end < ARP_LEN; end++) expect(p.decode(REQUEST, 0, end), `end ${end}`).toBe(false)
    for (let i = 0; i < 6; i++) {
      const b = REQUEST.slice()
      b[i] = 0x77
      expect(p.decode(b, 0, b.length), `octet ${i}`).toBe(false)
    }
  })
  it('allocates nothing', () => {
    const p = new ArpPacket()
    expect(bytesPerCall(() => void p.decode(REQUEST, 0, ARP_LEN))).toBeLessThan(8)
  })
})
