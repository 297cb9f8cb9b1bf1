/** A locally administered unicast address (IEEE 802, 8.2.2) that follows from what it is of, the same at every start. */
import { createHash } from 'node:crypto'

export function derivedMac(...parts: readonly string[]): Uint8Array {
  const octets = new Uint8Array(createHash('sha256').update(parts.join('\0')).digest().subarray(0, 6))
  octets[0] = ((octets[0] ?? 0) & 0xfc) | 0x02
  return octets
}
