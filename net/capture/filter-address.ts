/** Addresses of a filter, and tests for them. */
import { isIPv4, isIPv6 } from 'node:net'
import type { FrameFields } from '#net/capture/frame-fields.ts'
import { addressOctets } from '#net/wire/ip-address.ts'
import { u8 } from '#net/wire/octets.ts'

/** Which of the two addresses or ports of a frame is meant. */
export type Side = 'src' | 'dst' | 'either'

export type FrameTest = (frame: FrameFields) => boolean

export const isAddress = (text: string): boolean => (isIPv4(text) || isIPv6(text)) && !text.includes('%')

/** Octets of `02:00:00:00:00:01`, undefined when it is no such address. */
export function macOctets(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{1,2}([:-][0-9a-f]{1,2}){5}$/i.test(text)) return undefined
  return Uint8Array.from(text.split(/[:-]/), (digits) => Number.parseInt(digits, 16))
}

/** Network and length of `10.0.0.0/8`; undefined when it is none, null when it has bits beyond the length. */
export function parseNetwork(text: string): { octets: Uint8Array; bits: number } | null | undefined {
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  if (!isAddress(address)) return undefined
  const octets = addressOctets(address)
  const bits = Number(digits)
  if (bits > octets.length * 8) return undefined
  const isNetwork = octets.every((octet, i) => (octet & ~maskOctet(bits, i) & 0xff) === 0)
  return isNetwork ? { octets, bits } : null
}

/** True for frames of which an IP or ARP address begins with the first `bits` of `octets`. */
export function addressTest(octets: Uint8Array, bits: number, side: Side): FrameTest {
  const mask = Uint8Array.from(octets, (_, i) => maskOctet(bits, i))
  return (frame) => {
    if (frame.addressLength !== octets.length) return false
    if (side !== 'dst' && isLike(frame.b, frame.source, octets, mask)) return true
    return side !== 'src' && isLike(frame.b, frame.destination, octets, mask)
  }
}

const ALL = new Uint8Array(6).fill(0xff)

export const macTest =
  (octets: Uint8Array, side: Side): FrameTest =>
  (frame) => {
    if (!frame.hasHeader) return false
    if (side !== 'src' && isLike(frame.b, frame.start, octets, ALL)) return true
    return side !== 'dst' && isLike(frame.b, frame.start + 6, octets, ALL)
  }

export const portTest =
  (first: number, last: number, side: Side): FrameTest =>
  ({ sourcePort, destinationPort }) =>
    (side !== 'dst' && sourcePort >= first && sourcePort <= last) ||
    (side !== 'src' && destinationPort >= first && destinationPort <= last)

const maskOctet = (bits: number, i: number): number =>
  (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 0xff

function isLike(b: Uint8Array, at: number, octets: Uint8Array, mask: Uint8Array): boolean {
  for (let i = 0; i < octets.length; i++) {
    if (((u8(b, at + i) ^ (octets[i] ?? 0)) & (mask[i] ?? 0)) !== 0) return false
  }
  return true
}
