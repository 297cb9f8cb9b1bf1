/**
 * A port mode made ready for frames: which VLAN a frame that comes in belongs to, and in which form a VLAN goes out.
 * *Outer tag* means one with a TPID that some port of the switch uses; 0x8100 always is one.
 *
 *    transparent  any outer tag is the VLAN, none or VID 0 is VLAN 0; goes out as the VLAN's tag, VLAN 0 as it came
 *    access       none or VID 0 is the VLAN, any other is dropped; goes out untagged
 *    trunk        a VID that it carries is the VLAN, none or VID 0 the native one; goes out tagged, native untagged
 *    tunnel       a service tag is pushed, whatever the frame has (strict: it must have a tag); goes out without it;
 *                 unless strict, a frame with a VID of its `tagged` set passes as on a trunk
 */
import { DROP_SHORT, DROP_STRICT, DROP_VLAN } from '#net/port/counters.ts'
import type { PortMode, VidSet } from '#net/switch/port-mode.ts'
import { keyVid, tpidClass, VLAN_KEYS, vlanKey } from '#net/switch/vlan.ts'
import { TAG_LEN, TPID_C_TAG } from '#net/wire/ethernet.ts'
import { u16 } from '#net/wire/octets.ts'

/** Forms in which a port sends a VLAN's frames. */
const FORM_NONE = 0
const FORM_UNTAGGED = 1
const FORM_TAGGED = 2
/** Whatever it came with: no tag or a priority tag. */
const FORM_AS_IS = 3

/** What is done to a frame before it goes out. */
export const CHANGE_NOTHING = 0
export const CHANGE_UNTAG = 1
/** The VLAN's tag is put in, or in the place of a priority tag. */
export const CHANGE_TAG = 2
/** The port does not carry the VLAN. */
export const NOT_CARRIED = -1
/** The port is strict, and the frame would leave without a customer tag. */
export const NOT_STRICT = -2

const TYPE = 12
const ACCEPTED = -1
const NO_VLAN = -1

/** More VLANs than these are a range that nobody named one by one. */
const NAMED_VLANS = 64

const KIND = { transparent: 0, access: 1, trunk: 2, tunnel: 3 } as const

export class PortVlans {
  readonly kind: number
  /** TPIDs whose tags the port reads or writes as its VLANs': a set of classes. */
  readonly tpids: number
  readonly strict: boolean
  /** Key of untagged frames that come in, `NO_VLAN`: dropped. Of a tunnel: of all that is tunnelled. */
  readonly untagged: number
  /** `FORM_*` by VLAN key. */
  readonly forms = new Uint8Array(VLAN_KEYS)
  /** Keys of VLANs that the mode tells by number: the untagged one, and tagged ones when they are `NAMED_VLANS` at most. */
  readonly named: number[] = []

  constructor(mode: PortMode) {
    this.kind = KIND[mode.kind]
    this.strict = mode.kind === 'tunnel' && mode.strict
    const tpid = 'tpid' in mode ? mode.tpid : TPID_C_TAG
    this.tpids = 1 << tpidClass(tpid)
    switch (mode.kind) {
      case 'transparent':
        this.untagged = 0
        this.forms.fill(FORM_TAGGED)
        this.forms[0] = FORM_AS_IS
        break
      case 'access':
        this.untagged = vlanKey(tpid, mode.vlan)
        break
      case 'trunk':
        this.untagged = mode.native === null ? NO_VLAN : vlanKey(tpid, mode.native)
        this.carryTagged(tpidClass(tpid) << 12, mode.tagged)
        break
      case 'tunnel':
        this.untagged = vlanKey(tpid, mode.qnq)
        if (!mode.strict) this.carryTagged(0, mode.tagged)
        break
    }
    if (mode.kind === 'transparent' || this.untagged === NO_VLAN) return
    this.forms[this.untagged] = FORM_UNTAGGED
    this.named.push(this.untagged)
  }

  get isTransparent(): boolean {
    return this.kind === KIND.transparent
  }

  /** How the port sends the frames of a VLAN key; null: it does not carry it. VLAN 0 of a transparent port is untagged. */
  carries(key: number): 'untagged' | 'tagged' | null {
    const form = this.forms[key] ?? FORM_NONE
    if (form === FORM_NONE) return null
    return form === FORM_TAGGED ? 'tagged' : 'untagged'
  }

  private carryTagged(base: number, vids: VidSet): void {
    const count = vids.reduce((sum, [first, last]) => sum + last - first + 1, 0)
    for (const [first, last] of vids) {
      this.forms.fill(FORM_TAGGED, base + first, base + last + 1)
      if (count <= NAMED_VLANS) for (let vid = first; vid <= last; vid++) this.named.push(base + vid)
    }
  }
}

/** Where one frame belongs; the next `read` overwrites it. */
export class FrameVlan {
  /** VLAN key. */
  key = 0
  /** Octets of the outer tag that is the VLAN's own, or a priority tag that the port took: 0 or 4. */
  tagLength = 0
  /** PCP and DEI, in their place of the tag control information. */
  priority = 0
  private vid = 0
  /** Without its VLAN's tag the frame still has a tag with a VID. */
  private hasCustomerTag = false

  /**
   * Finds the VLAN of frame `b[start, end)`, of at least 14 octets, that came in at a port.
   * @param tpids  classes of TPIDs that count as VLAN tags on this switch, a bit each
   * @returns DROP_* when the port does not take it, else -1
   */
  read(port: PortVlans, tpids: number, b: Uint8Array, start: number, end: number): number {
    const kind = port.kind
    const family = tpidClass(u16(b, start + TYPE))
    let isTagged = family >= 0 && (kind === KIND.tunnel || ((tpids >> family) & 1) === 1)
    if (isTagged && end - start < TYPE + TAG_LEN + 2) {
      if (kind !== KIND.transparent) return DROP_SHORT
      isTagged = false
    }
    const tci = isTagged ? u16(b, start + TYPE + 2) : 0
    const vid = tci & 0xfff
    const tagKey = (family << 12) | vid
    this.vid = vid
    this.priority = tci & 0xf000
    this.tagLength = isTagged ? TAG_LEN : 0
    this.key = vid === 0 ? port.untagged : tagKey
    switch (kind) {
      case KIND.access:
        if (vid !== 0) return DROP_VLAN
        break
      case KIND.trunk:
        if (this.key === NO_VLAN || (vid !== 0 && port.forms[tagKey] === FORM_NONE)) return DROP_VLAN
        break
      case KIND.tunnel:
        if (port.strict && vid === 0) return DROP_STRICT
        if (vid === 0 || port.forms[tagKey] !== FORM_TAGGED) {
          this.key = port.untagged
          this.tagLength = 0
        }
        break
      default:
    }
    this.hasCustomerTag = hasVid(b, start + this.tagLength, end)
    return ACCEPTED
  }

  /** What a port does to the frame that was read last, to send it: CHANGE_*, NOT_CARRIED or NOT_STRICT. */
  changeFor(port: PortVlans): number {
    const form = port.forms[this.key]
    if (form === FORM_NONE) return NOT_CARRIED
    if (form === FORM_UNTAGGED) {
      if (port.strict && !this.hasCustomerTag) return NOT_STRICT
      return this.tagLength === 0 ? CHANGE_NOTHING : CHANGE_UNTAG
    }
    if (form === FORM_AS_IS) return CHANGE_NOTHING
    return this.tagLength === 0 || this.vid === 0 ? CHANGE_TAG : CHANGE_NOTHING
  }

  /** Tag control information of the VLAN's tag on this frame. */
  get tci(): number {
    return this.priority | keyVid(this.key)
  }
}

function hasVid(b: Uint8Array, start: number, end: number): boolean {
  if (end - start < TYPE + TAG_LEN + 2 || tpidClass(u16(b, start + TYPE)) < 0) return false
  return (u16(b, start + TYPE + 2) & 0xfff) !== 0
}
