/**
 * The interfaces of a device: a TAP each, in its network namespace. The fabric connects to DEVICE_TAPS_SOCKET and is given the
 * descriptors of those that are connected to a bridge; as long as it stays they have carrier, unless it says otherwise.
 */
import { existsSync } from 'node:fs'
import { sendDescriptors } from '#net/port/descriptors.ts'
import * as libc from '#net/port/libc.ts'
import { isLinkUp, linkIndex, linkMtu, setLinkAddress, setLinkUp } from '#net/port/nic/link.ts'
import { watchLinks } from '#net/port/nic/link-watch.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import { openTapDevice, setTapCarrier } from '#net/port/tap-device.ts'
import { DEVICE_TAPS_SOCKET, DEVICE_TUN } from '#hub/base/device-paths.ts'
import { formatTapStates, type TapState } from '#hub/base/tap-states.ts'
import type { PlannedDevice } from '#hub/base/topology-plan.ts'
import { claimUnixPath, listenUnix, type UnixListener } from '#hub/base/unix-listener.ts'

type Interface = PlannedDevice['interfaces'][number]

interface Tap {
  readonly name: string
  readonly fd: number
  readonly isConnected: boolean
}

/** A fabric that has the descriptors. */
interface Holder {
  readonly fd: number
  readonly watcher: Watcher
}

export class DeviceTaps {
  readonly #taps: Tap[] = []
  readonly #listener: UnixListener
  readonly #unwatchLinks: () => void
  #fabric: Holder | undefined
  /** What it was told last. */
  #told = ''

  /** @throws SystemError when an interface cannot be made */
  constructor(interfaces: readonly Interface[]) {
    const device = existsSync(DEVICE_TUN) ? DEVICE_TUN : undefined
    try {
      for (const { name, mac, bridge } of interfaces) {
        const fd = openTapDevice(name, device)
        this.#taps.push({ name, fd, isConnected: bridge !== null })
        setTapCarrier(fd, false)
        setLinkAddress(name, mac)
        setLinkUp(name, true)
      }
      claimUnixPath(DEVICE_TAPS_SOCKET)
      this.#unwatchLinks = watchLinks(() => this.#tell())
      this.#listener = listenUnix(DEVICE_TAPS_SOCKET, 0o666, (fd) => this.#connected(fd))
    } catch (error) {
      for (const { fd } of this.#taps) libc.close(fd)
      throw error
    }
  }

  /** The interfaces go. */
  close(): void {
    this.#listener.close()
    this.#unwatchLinks()
    this.#disconnect()
    for (const { fd } of this.#taps) libc.close(fd)
  }

  get #connectedTaps(): readonly Tap[] {
    return this.#taps.filter(({ isConnected }) => isConnected)
  }

  /** A fabric that was killed is followed by another one at once: the newest counts. */
  #connected(fd: number): void {
    this.#disconnect()
    const watcher = new Watcher(fd, () => this.#disconnect())
    this.#fabric = { fd, watcher }
    watcher.watch(READABLE)
    this.#told = formatTapStates(this.#connectedTaps.map(stateOf))
    const descriptors = this.#connectedTaps.map((tap) => tap.fd)
    if (!sendDescriptors(fd, new TextEncoder().encode(this.#told), descriptors)) this.#disconnect()
  }

  /** It has nothing to say: what can be read is its end. */
  #disconnect(): void {
    if (!this.#fabric) return
    const { fd, watcher } = this.#fabric
    this.#fabric = undefined
    watcher.close(() => libc.close(fd))
    for (const tap of this.#taps) setTapCarrier(tap.fd, false)
  }

  #tell(): void {
    if (!this.#fabric) return
    const line = formatTapStates(this.#connectedTaps.map(stateOf))
    if (line === this.#told) return
    this.#told = line
    const octets = new TextEncoder().encode(line)
    const { fd } = this.#fabric
    const sent = libc.sendBuffer(fd, octets, octets.length, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL)
    if (sent !== octets.length) this.#disconnect()
  }
}

/** Of one that the device's root has removed: down. */
function stateOf({ name }: Tap): TapState {
  try {
    if (linkIndex(name) !== 0) return { name, up: isLinkUp(name), mtu: linkMtu(name) }
  } catch {
    // It went meanwhile.
  }
  return { name, up: false, mtu: 0 }
}
