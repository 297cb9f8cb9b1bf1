/**
 * What a frame carries behind VLAN tags and LLC/SNAP headers (IEEE Std 802-2014 §9), in any order. Hosts read through
 * them, so a guard that did not could be passed by with a tag of VID 0 or a SNAP header.
 */
import { isTpid, TAG_LEN } from '#net/wire/ethernet.ts'
import { u16, u32 } from '#net/wire/octets.ts'

/** Tags and SNAP headers that are read through; what has more is not understood. */
const MAX_LAYERS = 8
/** Below it the type is a length, and LLC follows (IEEE Std 802.3-2022 §3.2.6). */
const LEAST_TYPE = 0x600
const TYPE = 12
/** DSAP, SSAP, control of LLC, then three octets 0: an EtherType follows. */
const SNAP_LEN = 6
const SNAP_START = 0xaaaa0300

export class Encapsulation {
  /** EtherType, or a length. */
  type = 0
  /** Index in `b` of the first octet after it. */
  payload = 0

  /** Reads a frame of at least 14 octets; false when it is cut short or has too many layers: nobody knows what it is. */
  decode(b: Uint8Array, start: number, end: number): boolean {
    let at = start + TYPE
    for (let layers = 0; layers <= MAX_LAYERS; layers++) {
      if (end - at < 2) return false
      const type = u16(b, at)
      if (isTpid(type)) at += TAG_LEN
      else if (type < LEAST_TYPE && isSnap(b, at + 2, end)) at += 2 + SNAP_LEN
      else {
        this.type = type
        this.payload = at + 2
        return true
      }
    }
    return false
  }
}

const isSnap = (b: Uint8Array, at: number, end: number): boolean =>
  end - at >= SNAP_LEN && u32(b, at) === SNAP_START && u16(b, at + 4) === 0
