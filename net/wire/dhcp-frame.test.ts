import { describe, expect, it } from 'vitest'
import { DhcpFrame, dhcpFrame } from '#net/wire/dhcp-frame.ts'
import { addressOctets } from '#net/wire/ip-address.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const MESSAGE = Uint8Array.from({ length: 7 }, (_, i) => i + 1)
const FRAME = dhcpFrame(
  {
    sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
    destinationMac: new Uint8Array(6).fill(0xff),
    source: addressOctets('0.0.0.0'),
    destination: addressOctets('255.255.255.255'),
    sourcePort: 68,
    destinationPort: 67,
  },
  MESSAGE,
)
const reads = (b: Uint8Array, isChecked = true): boolean => {
  const frame = new DhcpFrame()
  return frame.isTo(b, 0, b.length, 67) && frame.decode(b, 0, b.length, isChecked)
}

describe('a DHCP frame', () => {
  it('is Ethernet, IPv4 and UDP with right sums', () => {
    expect(Buffer.from(FRAME).toString('hex')).toBe(
      'ffffffffffff0200000000010800' +
        '45000023000000004011' +
        '7acb' +
        '00000000ffffffff' +
        '00440043000f' +
        'ef3d' +
        '01020304050607',
    )
    const frame = new DhcpFrame()
    expect(frame.isTo(FRAME, 0, FRAME.length, 67) && frame.decode(FRAME, 0, FRAME.length, true)).toBe(true)
    expect(FRAME.subarray(frame.payload, frame.end)).toEqual(MESSAGE)
    expect(frame.isTo(FRAME, 0, FRAME.length, 68)).toBe(false)
  })
  it('is read with padding, not when it is cut', () => {
    expect(reads(Uint8Array.from([...FRAME, ...new Uint8Array(20)]))).toBe(true)
    for (let end = 0; end < FRAME.length; end++)
      expect(reads(FRAME.subarray(0, end)), `end ${end}`).toBe(false)
  })
  it('is refused with any bit turned that its sums cover, unless they are not looked at', () => {
    for (let at = 14; at < FRAME.length; at++) {
      const b = FRAME.slice()
      b[at] = (b[at] ?? 0) ^ 0x04
      expect(reads(b), `octet ${at}`).toBe(false)
    }
    const b = FRAME.slice()
    b[FRAME.length - 1] = 0x55
    expect(reads(b, false)).toBe(true)
  })
  it('costs no memory to be told apart', () => {
    const frame = new DhcpFrame()
    expect(bytesPerCall(() => void frame.isTo(FRAME, 0, FRAME.length, 67))).toBeLessThan(8)
  })
})
