/**
 * VLAN keys: what tells the VLANs of one switch apart is the outer tag's TPID and VID (IEEE Std 802.1Q-2022 §9.6), as
 * `class << 12 | VID`. Class 0 is 0x8100, so that an ordinary VLAN's key is its VID; key 0 is untagged traffic.
 */
import { TPID_C_TAG, TPID_QINQ_9100, TPID_QINQ_9200, TPID_S_TAG } from '#net/wire/ethernet.ts'

/** Tag protocol identifiers that a port may use, by class. */
export const TPIDS = [TPID_C_TAG, TPID_S_TAG, TPID_QINQ_9100, TPID_QINQ_9200] as const
export type Tpid = (typeof TPIDS)[number]

/** Number of keys. */
export const VLAN_KEYS = TPIDS.length << 12
/** Highest VID that a VLAN may have; 4095 is reserved. */
export const MAX_VID = 4094

/** Class of an EtherType, -1 when it is no TPID. */
export function tpidClass(type: number): number {
  if (type === TPID_C_TAG) return 0
  if (type === TPID_S_TAG) return 1
  if (type === TPID_QINQ_9100) return 2
  return type === TPID_QINQ_9200 ? 3 : -1
}

/** Key of a VID under a TPID; VID 0 has key 0 under each of them. */
export const vlanKey = (tpid: Tpid, vid: number): number => (vid === 0 ? 0 : (tpidClass(tpid) << 12) | vid)
export const keyVid = (key: number): number => key & 0xfff
export const keyTpid = (key: number): Tpid => TPIDS[key >> 12] ?? TPID_C_TAG
