import { describe, expect, it } from 'vitest'
import { putTcp, TCP_ACK, TCP_CWR, TCP_FIN, TCP_PSH, TcpHeader } from '#net/wire/tcp.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
/** With twelve octets of options. */
const SEGMENT = octets('03e8 07d0 fffffffa 00000007 8099 01f4 0000 0000 0101080a 00000001 00000002 ff')

describe('TcpHeader.decode', () => {
  it('reads a header with options', () => {
    const h = new TcpHeader()
    expect(h.decode(SEGMENT, 0, SEGMENT.length)).toBe(true)
    expect([h.flags, h.payload]).toEqual([TCP_CWR | TCP_ACK | TCP_PSH | TCP_FIN, 32])
  })
  it('refuses every truncation and a data offset below 5', () => {
    const h = new TcpHeader()
    for (let end = 0; end < 32; end++) expect(h.decode(SEGMENT, 0, end), `end ${end}`).toBe(false)
    const b = SEGMENT.slice()
    b[12] = 0x40
    expect(h.decode(b, 0, b.length)).toBe(false)
  })
  it('allocates nothing', () => {
    const h = new TcpHeader()
    expect(bytesPerCall(() => void h.decode(SEGMENT, 0, SEGMENT.length))).toBeLessThan(8)
  })
})

it('putTcp writes a header without options', () => {
  const b = new Uint8Array(21).fill(0xee)
  expect(putTcp(b, 1, 1000, 2000, 0xfffffffa, 7, TCP_ACK)).toBe(21)
  expect(b).toEqual(octets('ee 03e8 07d0 fffffffa 00000007 5010 ffff 0000 0000'))
})
