/**
 * Identifiers and priority vectors (IEEE Std 802.1D-2004 §9.2.5-9.2.7, §17.5, §17.6). Lower is better throughout.
 *
 *    bridge identifier   priority(4 bits) extension(12, 0 here) | MAC address(48)
 *    port identifier     priority(4 bits) number(12)
 */

/** What bridges compare: which root, how far, through which bridge and port of it. */
export interface PriorityVector {
  readonly root: bigint
  readonly cost: number
  readonly bridge: bigint
  readonly port: number
}

const ADDRESS_BITS = 48n
const ADDRESS_MASK = (1n << ADDRESS_BITS) - 1n
const MAX_PORT_NUMBER = 0xfff

/** @param priority  0 to 61440 in steps of 4096 @param address  MAC address */
export const bridgeId = (priority: number, address: bigint): bigint =>
  (BigInt(priority) << ADDRESS_BITS) | address
export const bridgeAddress = (id: bigint): bigint => id & ADDRESS_MASK
export const bridgePriority = (id: bigint): number => Number(id >> ADDRESS_BITS)

/** @param priority  0 to 240 in steps of 16 */
export const portId = (priority: number, number: number): number => (priority << 8) | number
export const portNumber = (id: number): number => id & MAX_PORT_NUMBER

/** Negative when `a` is better than `b`, 0 when they are the same. */
export function compareVectors(a: PriorityVector, b: PriorityVector): number {
  if (a.root !== b.root) return a.root < b.root ? -1 : 1
  if (a.cost !== b.cost) return a.cost - b.cost
  if (a.bridge !== b.bridge) return a.bridge < b.bridge ? -1 : 1
  return a.port - b.port
}

/** True when a message takes the place of what a port holds: it is better, or is news from the same port (§17.6). */
export function isSuperior(message: PriorityVector, held: PriorityVector): boolean {
  const order = compareVectors(message, held)
  if (order <= 0) return order < 0
  return (
    bridgeAddress(message.bridge) === bridgeAddress(held.bridge) &&
    portNumber(message.port) === portNumber(held.port)
  )
}
