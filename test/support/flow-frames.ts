/** Frames of IP flows, for tests of what is done by flow. */
import { IPV4_FRAGMENT, PROTOCOL_UDP, putIpv4 } from '#net/wire/ipv4.ts'
import { putIpv6 } from '#net/wire/ipv6.ts'
import { putU16, putU32, putU8, u16 } from '#net/wire/octets.ts'
import { checksumOf, sum } from '#net/wire/checksum.ts'
import { frameOf, host } from '#test/support/switch-lab.ts'

export interface Flow {
  /** 4 (default) or 6. */
  readonly version?: number
  /** Last 32 bits of the addresses. */
  readonly source?: number
  readonly destination?: number
  readonly protocol?: number
  /** The first 32 bits behind the IP header: both ports. */
  readonly ports?: number
  /** As `frameOf` takes them. */
  readonly tags?: string
  /** IPv4 flags and fragment offset. */
  readonly fragment?: number
  readonly ecn?: number
  readonly macs?: readonly [number, number]
  /** Extension headers, in hex, the first of them of type `extension`. */
  readonly extensions?: string
  readonly extension?: number
}

const address = (version: number, last: number): Uint8Array => {
  const octets = new Uint8Array(version === 4 ? 4 : 16)
  if (version === 6) putU32(octets, 0, 0x20010db8)
  putU32(octets, octets.length - 4, last)
  return octets
}

/** A frame of `length` octets without its tags, filled up with `fill`; the transport's header has ports only. */
export function flowFrame(flow: Flow = {}, length = 60, fill = 0): Uint8Array {
  const { version = 4, protocol = PROTOCOL_UDP, ecn = 0, macs = [host(1), host(2)] } = flow
  const source = address(version, flow.source ?? 0x0a000001)
  const destination = address(version, flow.destination ?? 0x0a000002)
  const body = new Uint8Array(length - 12).fill(fill)
  let at: number
  if (version === 4) {
    putU16(body, 0, 0x0800)
    at = putIpv4(body, 2, length - 14, 0, protocol, source, destination)
    putU8(body, 3, ecn)
    putU16(body, 2 + IPV4_FRAGMENT, flow.fragment ?? 0)
    putU16(body, 12, 0)
    putU16(body, 12, checksumOf(sum(body, 2, 22)))
  } else {
    putU16(body, 0, 0x86dd)
    const extensions = Buffer.from((flow.extensions ?? '').replaceAll(' ', ''), 'hex')
    at = putIpv6(body, 2, length - 54, flow.extension ?? protocol, source, destination)
    putU16(body, 2, u16(body, 2) | (ecn << 4))
    body.set(extensions, at)
    at += extensions.length
  }
  putU32(body, at, flow.ports ?? 0)
  return frameOf(macs[0], macs[1], flow.tags ?? '', body)
}
