/** Internet addresses as people and programs write them. */
import { putU16, u32 } from '#net/wire/octets.ts'

/** @param text  what Node's isIP accepts, without a zone (RFC 4291 §2.2). @returns 4 or 16 octets */
export const addressOctets = (text: string): Uint8Array =>
  text.includes(':') ? ipv6Octets(text) : Uint8Array.from(text.split('.'), Number)

/** Of an IPv4 address as a number of 32 bits. */
export const ipv4Text = (address: number): string =>
  `${address >>> 24}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`

/** @param text  what Node's isIPv4 accepts */
export const ipv4Number = (text: string): number => u32(addressOctets(text), 0)

function ipv6Octets(text: string): Uint8Array {
  const octets = new Uint8Array(16)
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  const [, before = '', a, b, c, d] = dotted ?? []
  const [front = '', back] = (dotted ? `${before}${pairInHex(a, b)}:${pairInHex(c, d)}` : text).split('::')
  putGroups(octets, groupsOf(front), 0)
  if (back !== undefined) putGroups(octets, groupsOf(back), 16 - groupsOf(back).length * 2)
  return octets
}

const pairInHex = (high: unknown, low: unknown): string => ((Number(high) << 8) | Number(low)).toString(16)

const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'))

function putGroups(octets: Uint8Array, groups: readonly string[], at: number): void {
  for (const [i, group] of groups.entries()) putU16(octets, at + i * 2, Number.parseInt(group, 16))
}
