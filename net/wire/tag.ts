/**
 * VLAN tags put in and taken out of a frame that has its virtio header before it: the header moves along, so that
 * checksum start and header length stay true.
 */
import { popTag, pushTag, TAG_LEN } from '#net/wire/ethernet.ts'
import { shiftHeader } from '#net/wire/virtio.ts'

/** Adds an outer tag; uses the 4 octets before the virtio header. @returns the new start. */
export function insertTag(b: Uint8Array, start: number, tpid: number, tci: number): number {
  shiftHeader(b, start, -TAG_LEN)
  return pushTag(b, start, tpid, tci)
}

/** Takes the outer tag off a frame that has one. @returns the new start. */
export function removeTag(b: Uint8Array, start: number): number {
  popTag(b, start)
  return shiftHeader(b, start, TAG_LEN)
}
