/** What the system tells of a bridged interface, and lets change, for a port that captures: much on Linux, else nothing. */
import { networkInterfaces } from 'node:os'
import { SystemError } from '#net/base/errors.ts'
import { watchLinks } from '#net/port/nic/link-watch.ts'
import { isEthernet, isLinkUp, linkAddress, linkIndex, linkMtu } from '#net/port/nic/link.ts'
import { longestFrame } from '#net/port/nic/mtu.ts'
import { NicSettings } from '#net/port/nic/settings.ts'

/** Of an MTU of 1500, which nearly every Ethernet has. */
const USUAL_FRAME = longestFrame(1500)
/**
 * Offloads that give a capture merged frames, whose checksums are wrong when they are cut; with those of sending on,
 * libpcap 1.10 also reserves 64 KiB a frame in its ring instead of the MTU.
 */
const OFFLOADS = [
  'rx-gro',
  'rx-gro-hw',
  'rx-udp-gro-forwarding',
  'tx-generic-segmentation',
  'tx-tcp-segmentation',
  'tx-tcp-ecn-segmentation',
  'tx-tcp-accecn-segmentation',
  'tx-tcp-mangleid-segmentation',
  'tx-tcp6-segmentation',
]

/** `other`: an interface of the same name, not the one that was prepared. */
export type LinkState = 'up' | 'down' | 'gone' | 'other'

export interface HostLink {
  readonly state: LinkState
  /** Its address, `02:00:00:00:00:01`; empty when the system does not tell. */
  readonly address: string
  /** Octets of the longest frame that the prepared interface carries, as `longestFrame` has it. */
  readonly maxFrame: number
  /** Makes the interface fit to be bridged, if it is another one than before. @throws SystemError with the remedy */
  prepare(): void
  /** Calls `listener` when something may have changed, until the returned function is called. */
  watch(listener: () => void): () => void
  /** Puts back what `prepare` changed. */
  restore(): void
}

/**
 * @param mtu  to raise the interface's to, where that is possible; undefined: as `NicSettings` has it
 * @param warn  takes one line for people
 */
export function openHostLink(name: string, mtu: number | undefined, warn: (text: string) => void): HostLink {
  if (process.platform === 'linux') return new LinuxLink(name, mtu, warn)
  const address = addressOf(name)
  return {
    state: 'up',
    address,
    maxFrame: USUAL_FRAME,
    prepare: nothing,
    watch: () => nothing,
    restore: nothing,
  }
}

const nothing = (): void => {}

/** The interface's address, empty when the system does not tell. @throws SystemError on Linux, without the interface */
export function addressOf(name: string): string {
  if (process.platform === 'linux') return linkAddress(name)
  const mac = networkInterfaces()[name]?.[0]?.mac ?? ''
  return /[1-9a-f]/.test(mac) ? mac : ''
}

class LinuxLink implements HostLink {
  readonly #name: string
  readonly #settings: NicSettings
  #index = 0

  constructor(name: string, mtu: number | undefined, warn: (text: string) => void) {
    this.#name = name
    this.#settings = new NicSettings({ mtu, offloads: OFFLOADS }, warn)
  }

  get state(): LinkState {
    const index = linkIndex(this.#name)
    if (index === 0) return 'gone'
    if (index !== this.#index) return 'other'
    try {
      return isLinkUp(this.#name) ? 'up' : 'down'
    } catch {
      return 'gone'
    }
  }

  get address(): string {
    return linkAddress(this.#name)
  }

  get maxFrame(): number {
    try {
      return longestFrame(linkMtu(this.#name))
    } catch {
      return USUAL_FRAME
    }
  }

  prepare(): void {
    const what = `cannot open ${this.#name}`
    const index = linkIndex(this.#name)
    if (index === this.#index && index !== 0) return
    if (index === 0)
      throw new SystemError('ENODEV', `${what}: no such device (\`ip link\` lists the interfaces)`)
    if (!isEthernet(this.#name))
      throw new SystemError(
        'EPROTOTYPE',
        `${what}: it is no Ethernet interface (\`ip link\` tells the type of each)`,
      )
    this.#settings.apply(index)
    this.#index = index
  }

  watch(listener: () => void): () => void {
    return watchLinks(() => {
      try {
        this.#settings.follow()
      } catch {
        // It is gone, as its state tells.
      }
      listener()
    })
  }

  restore(): void {
    this.#settings.restore()
  }
}
