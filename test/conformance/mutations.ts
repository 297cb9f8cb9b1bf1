/** Faults that a switch might have, each an edit of our own one. */

export interface Mutation {
  readonly name: string
  readonly file: string
  /** Text that the file has once, and what stands there instead. */
  readonly from: string
  readonly to: string
}

const VLANS = 'net/switch/port-vlans.ts'
const SWITCH = 'net/switch/switch.ts'

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a tag is not popped',
    file: VLANS,
    from: 'return this.tagLength === 0 ? CHANGE_NOTHING : CHANGE_UNTAG',
    to: 'return CHANGE_NOTHING',
  },
  {
    name: 'a tag is not pushed',
    file: VLANS,
    from: 'return this.tagLength === 0 || this.vid === 0 ? CHANGE_TAG : CHANGE_NOTHING',
    to: 'return CHANGE_NOTHING',
  },
  {
    name: 'a tag is pushed beside a priority tag instead of in its place',
    file: SWITCH,
    from: 'if (this.vlan.tagLength === 0) return insertTag(b, start, tpid, tci)',
    to: 'return insertTag(b, start, tpid, tci)',
  },
  {
    name: 'the priority is lost',
    file: VLANS,
    from: 'return this.priority | keyVid(this.key)',
    to: 'return (this.priority & 0x1000) | keyVid(this.key)',
  },
  {
    name: 'the DEI is lost',
    file: VLANS,
    from: 'this.priority = tci & 0xf000',
    to: 'this.priority = tci & 0xe000',
  },
  {
    name: 'VID 0 is taken for a VLAN, and not for the native one',
    file: VLANS,
    from: 'this.key = vid === 0 ? port.untagged : tagKey',
    to: 'this.key = isTagged ? tagKey : port.untagged',
  },
  {
    name: 'VID 0 is taken for a customer VLAN by a strict tunnel',
    file: VLANS,
    from: 'if (port.strict && vid === 0) return DROP_STRICT',
    to: 'if (port.strict && !isTagged) return DROP_STRICT',
  },
  {
    name: 'VID 0 is taken for a customer VLAN by a strict tunnel that sends',
    file: VLANS,
    from: 'return (u16(b, start + TYPE + 2) & 0xfff) !== 0',
    to: 'return true',
  },
  {
    name: 'an access port takes the VLAN of a tag',
    file: VLANS,
    from: 'if (vid !== 0) return DROP_VLAN',
    to: '',
  },
  {
    name: 'a trunk without a native VLAN takes untagged frames',
    file: VLANS,
    from: 'this.key === NO_VLAN || ',
    to: '',
  },
  {
    name: 'a trunk takes VLANs that it does not carry',
    file: VLANS,
    from: '(vid !== 0 && port.forms[tagKey] === FORM_NONE)',
    to: 'false',
  },
  {
    name: 'VID 4095 is a VLAN',
    file: 'net/switch/vlan.ts',
    from: 'export const MAX_VID = 4094',
    to: 'export const MAX_VID = 4095',
  },
  {
    name: 'the wrong TPID is written',
    file: SWITCH,
    from: 'const tpid = keyTpid(this.vlan.key)',
    to: 'const tpid = TPID_C_TAG',
  },
  {
    name: 'a tag of a TPID that no port uses is read',
    file: VLANS,
    from: '(kind === KIND.tunnel || ((tpids >> family) & 1) === 1)',
    to: 'true',
  },
  {
    name: 'the customer filter is ignored',
    file: VLANS,
    from: 'if (vid === 0 || port.forms[tagKey] !== FORM_TAGGED) {',
    to: 'if (true) {',
  },
  {
    name: 'the customer filter is minded by a strict tunnel',
    file: VLANS,
    from: 'if (!mode.strict) this.carryTagged(0, mode.tagged)',
    to: 'this.carryTagged(0, mode.tagged)',
  },
  {
    name: "a customer's tag is taken for the service tag",
    file: VLANS,
    from: 'this.key = port.untagged\n          this.tagLength = 0',
    to: 'this.key = port.untagged',
  },
  {
    name: 'a strict tunnel sends what has no customer tag',
    file: VLANS,
    from: 'if (port.strict && !this.hasCustomerTag) return NOT_STRICT',
    to: '',
  },
  {
    name: 'the native VLAN is sent tagged',
    file: VLANS,
    from: 'this.forms[this.untagged] = FORM_UNTAGGED',
    to: 'this.forms[this.untagged] = FORM_TAGGED',
  },
  {
    name: 'a VLAN is sent to a port that does not carry it',
    file: VLANS,
    from: 'if (form === FORM_NONE) return NOT_CARRIED',
    to: '',
  },
  {
    name: 'an address is learnt in another VLAN',
    file: SWITCH,
    from: 'this.table.learn(b, start + SOURCE, key,',
    to: 'this.table.learn(b, start + SOURCE, 0,',
  },
  {
    name: 'an address is looked up in another VLAN',
    file: SWITCH,
    from: 'this.table.lookup(b, start, key)',
    to: 'this.table.lookup(b, start, 0)',
  },
  {
    name: 'a VLAN is told by its VID alone',
    file: VLANS,
    from: 'const tagKey = (family << 12) | vid',
    to: 'const tagKey = vid',
  },
  {
    name: 'a tag that is cut short is read',
    file: VLANS,
    from: 'if (kind !== KIND.transparent) return DROP_SHORT',
    to: '',
  },
  {
    name: "a super-frame's checksum is where it was before the tag",
    file: 'net/wire/virtio.ts',
    from: '(bits & FLAG_NEEDS_CHECKSUM) === 0 ? 0 : csumStart - shift',
    to: '(bits & FLAG_NEEDS_CHECKSUM) === 0 ? 0 : csumStart',
  },
]
