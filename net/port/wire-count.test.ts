import { describe, expect, it } from 'vitest'
import { longestWireFrame, wireFrames, wireOctets } from '#net/port/wire-count.ts'
import { putU16 } from '#net/wire/octets.ts'
import { GSO_TCPV4, GSO_UDP_L4, putHeader } from '#net/wire/virtio.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const START = 16

/** An IPv4 frame behind a virtio header: TCP of 20 octets, or UDP of 8. */
function superFrame(type: number, size: number, payload: number): Uint8Array {
  const isTcp = type !== GSO_UDP_L4
  const headers = 14 + 20 + (isTcp ? 20 : 8)
  const b = new Uint8Array(START + headers + payload)
  putU16(b, START + 12, 0x0800)
  putU16(b, START + 14, 0x4500)
  putU16(b, START + 16, headers - 14 + payload)
  b[START + 14 + 9] = isTcp ? 6 : 17
  b[START + 14 + 20 + 12] = 0x50
  putHeader(b, START, 1, type, headers, size, 34, isTcp ? 16 : 6)
  return b
}

describe('what a frame counts as on the wire', () => {
  it.each([
    ['a plain frame', 0, 0, 1000, 1, 1054, 1054],
    ['TCP, cut in equal parts', GSO_TCPV4, 1000, 3000, 3, 3 * 1054, 1054],
    ['TCP, the last part short', GSO_TCPV4, 1448, 4000, 3, 4000 + 3 * 54, 1502],
    ['TCP that fits one frame', GSO_TCPV4, 1448, 900, 1, 954, 954],
    ['TCP without a payload', GSO_TCPV4, 1448, 0, 1, 54, 54],
    ['UDP', GSO_UDP_L4, 1200, 1201, 2, 1201 + 2 * 42, 1242],
    ['TCP that says no size', GSO_TCPV4, 0, 3000, 1, 3054, 54],
  ])('%s', (_name, type, size, payload, frames, octets, longest) => {
    const b = superFrame(type, size, payload)
    expect(wireFrames(b, START, b.length)).toBe(frames)
    expect(wireOctets(b, START, b.length)).toBe(octets)
    expect(longestWireFrame(b, START, b.length)).toBe(longest)
  })

  it('a super-frame whose octets say otherwise counts as one', () => {
    const b = superFrame(GSO_TCPV4, 100, 1000)
    putU16(b, START + 12, 0x86dd)
    expect([wireFrames(b, START, b.length), wireOctets(b, START, b.length)]).toEqual([1, 1054])
  })

  it('allocates nothing', () => {
    const b = superFrame(GSO_TCPV4, 1448, 60_000)
    let frames = 0
    const count = (): void => {
      frames = wireFrames(b, START, b.length) + (wireOctets(b, START, b.length) & 1)
    }
    expect(bytesPerCall(count)).toBeLessThan(8)
    expect(frames).toBe(42)
  })
})
