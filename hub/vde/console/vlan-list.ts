/** The VLANs that the console lists: VLAN 0, those made with `vlan/create`, and those that a port's mode names. */
import type { Switch } from '#net/switch/switch.ts'
import { MAX_VID } from '#net/switch/vlan.ts'
import { markNamedVlans } from '#hub/vde/console/mode-change.ts'

export class VlanList {
  readonly #switch: Switch
  readonly #created = new Uint8Array(MAX_VID + 1)

  constructor(bridge: Switch) {
    this.#switch = bridge
  }

  /** By VID, 1 where a port's mode names it. */
  named(): Uint8Array {
    const named = new Uint8Array(MAX_VID + 1)
    for (const { mode } of this.#switch.portList) markNamedVlans(mode, named)
    return named
  }

  /** VIDs in order. */
  list(): number[] {
    const named = this.named()
    const vids: number[] = []
    for (let vid = 0; vid <= MAX_VID; vid++) {
      if (vid === 0 || named[vid] === 1 || this.#created[vid] === 1) vids.push(vid)
    }
    return vids
  }

  has(vid: number): boolean {
    return vid === 0 || this.#created[vid] === 1 || this.named()[vid] === 1
  }

  /** @param vid  1 to 4094 */
  create(vid: number): void {
    this.#created[vid] = 1
  }

  remove(vid: number): void {
    this.#created[vid] = 0
  }
}
