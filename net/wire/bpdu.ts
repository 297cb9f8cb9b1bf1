/** Which frames are bridge protocol data units; what is in them: `#net/stp/bpdu.ts`. */
import { u16, u24, u32 } from '#net/wire/octets.ts'

const LLC = 14
const LLC_LEN = 3
const LLC_BPDU = 0x424203

/** Untagged, to the bridge group address, with the LLC header of BPDUs (IEEE Std 802.1D-2004 §7.12.3, §9.1). */
export const isBpdu = (b: Uint8Array, start: number, end: number): boolean =>
  u16(b, start) === 0x0180 &&
  u32(b, start + 2) === 0xc200_0000 &&
  end - start >= LLC + LLC_LEN &&
  u24(b, start + LLC) === LLC_BPDU
