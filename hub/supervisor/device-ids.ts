/** Ids that devices run as, 65 536 each, far from those of people and services; a device keeps its own on its directory. */
import { existsSync, readdirSync } from 'node:fs'
import { ownerOfHome } from '#hub/supervisor/device-home.ts'
import { IDS_OF_DEVICE } from '#hub/supervisor/namespaces.ts'

/** Above what systemd gives to containers (systemd UIDS-GIDS: 524288 to 1879048191). */
const FIRST = 0x7000_0000
const MOST = 0x7fff

export class DeviceIds {
  readonly #taken = new Set<number>()

  /** @param topologies  directory with one for each */
  constructor(topologies: string) {
    if (!existsSync(topologies)) return
    for (const topology of readdirSync(topologies)) {
      const devices = `${topologies}/${topology}/devices`
      if (!existsSync(devices)) continue
      for (const device of readdirSync(devices)) this.#know(`${devices}/${device}`)
    }
  }

  /** @returns the first of those of the device whose directory is `path` */
  of(path: string): number {
    const known = this.#know(path)
    if (known !== undefined) return known
    let slot = 0
    while (this.#taken.has(slot) && slot < MOST) slot++
    this.#taken.add(slot)
    return FIRST + slot * IDS_OF_DEVICE
  }

  #know(path: string): number | undefined {
    const owner = ownerOfHome(path)
    if (owner === undefined || owner < FIRST || owner % IDS_OF_DEVICE !== 0) return undefined
    this.#taken.add((owner - FIRST) / IDS_OF_DEVICE)
    return owner
  }
}
