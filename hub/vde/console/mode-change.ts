/**
 * VDE's VLAN commands on our port modes. They know ports that carry one VLAN untagged, or none, and any tagged:
 *
 *    transparent  is taken as such a port of untagged VLAN 0 with nothing tagged, and becomes a trunk
 *    access       stays one while it has one untagged VLAN and nothing tagged; else it becomes a trunk
 *    trunk        is one, unless its TPID is not 0x8100: VDE knows no other
 *    tunnel       is none
 */
import type { PortMode, VidSet } from '#net/switch/port-mode.ts'
import { MAX_VID } from '#net/switch/vlan.ts'
import { TPID_C_TAG } from '#net/wire/ethernet.ts'

type Trunk = Extract<PortMode, { kind: 'trunk' }>

/** A port as vde_switch makes it: VLAN 0 untagged, no other. */
export const PLAIN_TRUNK: Trunk = { kind: 'trunk', native: 0, tagged: [], tpid: TPID_C_TAG }

/** Why VLAN commands do not change a port; undefined when they do. */
export function vlansFixed(mode: PortMode): string | undefined {
  if (mode.kind === 'tunnel') return 'the port is a QinQ tunnel'
  if (mode.kind === 'trunk' && mode.tpid !== TPID_C_TAG) return 'the port has tags of another TPID than 8100'
  return undefined
}

/** The port leaves its untagged VLAN for another. @param vid  null: untagged frames are dropped */
export function withUntagged(mode: PortMode, vid: number | null): PortMode {
  if (mode.kind === 'access' && vid !== null) return { kind: 'access', vlan: vid }
  const trunk = asTrunk(mode)
  return { ...trunk, native: vid, tagged: without(without(trunk.tagged, trunk.native), vid) }
}

export function withTagged(mode: PortMode, vid: number): PortMode {
  const trunk = asTrunk(mode)
  if (trunk.native === vid) return mode
  return { ...trunk, tagged: joined([...without(trunk.tagged, vid), [vid, vid]]) }
}

export function withoutTagged(mode: PortMode, vid: number): PortMode {
  if (mode.kind === 'access') return mode
  const trunk = asTrunk(mode)
  return { ...trunk, tagged: without(trunk.tagged, vid) }
}

/** Marks the VLANs of TPID 0x8100 that a mode names one by one; those of `tagged=all` it does not. */
export function markNamedVlans(mode: PortMode, named: Uint8Array): void {
  switch (mode.kind) {
    case 'transparent':
      return
    case 'access':
      named[mode.vlan] = 1
      return
    case 'trunk':
      if (mode.tpid !== TPID_C_TAG) return
      if (mode.native !== null) named[mode.native] = 1
      markTagged(mode.tagged, named)
      return
    case 'tunnel':
      if (mode.tpid === TPID_C_TAG) named[mode.qnq] = 1
      if (!mode.strict) markTagged(mode.tagged, named)
  }
}

function markTagged(set: VidSet, named: Uint8Array): void {
  for (const [first, last] of set) if (last - first + 1 < MAX_VID) named.fill(1, first, last + 1)
}

function asTrunk(mode: PortMode): Trunk {
  if (mode.kind === 'trunk') return mode
  return mode.kind === 'access' ? { ...PLAIN_TRUNK, native: mode.vlan } : PLAIN_TRUNK
}

function without(set: VidSet, vid: number | null): VidSet {
  if (vid === null) return set
  return set.flatMap(([first, last]): VidSet => {
    if (vid < first || vid > last) return [[first, last]]
    const parts: VidSet = [
      [first, vid - 1],
      [vid + 1, last],
    ]
    return parts.filter(([from, to]) => from <= to)
  })
}

/** In order, ranges that touch made one. */
function joined(set: VidSet): VidSet {
  const out: [number, number][] = []
  for (const [first, last] of [...set].sort((a, b) => a[0] - b[0])) {
    const before = out.at(-1)
    if (before !== undefined && first === before[1] + 1) before[1] = last
    else out.push([first, last])
  }
  return out
}
