/**
 * TCP segments for addresses that larger packets do not reach (net/tunnel/black-hole.ts): what the next connections there
 * begin with, as long as this process lives. A table of the process, as the path is that of the machine.
 */

/**
 * With headers and options 1240 octets of IPv4 and 1260 of IPv6, which every link of IPv6 carries (1280); then RFC 1122's
 * least, for tunnels in tunnels.
 */
const STEPS = [1200, 536]
const MOST_ADDRESSES = 64

const sizes = new Map<string, number>()

/** Octets; undefined: as the system has it. @param address  numeric */
export const segmentSizeOf = (address: string): number | undefined => sizes.get(address)

/** Takes the next smaller size for an address. @returns it; undefined when there is none */
export function lowerSegmentSize(address: string): number | undefined {
  const now = sizes.get(address) ?? Infinity
  const next = STEPS.find((size) => size < now)
  if (next === undefined) return undefined
  const [oldest] = sizes.keys()
  if (sizes.size >= MOST_ADDRESSES && oldest !== undefined) sizes.delete(oldest)
  sizes.set(address, next)
  return next
}
