/**
 * Interfaces of a topology's devices as ports of its bridges: they have their numbers from the start, in the order of
 * the file, and are down until the device's process is there.
 */
import { TapPort } from '#net/port/tap-port.ts'
import { setTapCarrier } from '#net/port/tap-device.ts'
import type { SwitchPort } from '#net/switch/switch.ts'
import type { Say } from '#hub/fabric/attachment.ts'
import { DeviceLink, type DevicePort } from '#hub/fabric/device-link.ts'

export interface FabricDevice {
  readonly name: string
  /** Where its process is at home, relative to the data directory. */
  readonly directory: string
  readonly interfaces: readonly {
    readonly name: string
    /** Null: not connected. */
    readonly bridge: string | null
    /** Of the port, as `bridge port set` takes them. */
    readonly settings?: Readonly<Record<string, string>>
  }[]
}

/** Adds a port to a bridge, with settings. */
type AddPort = (
  bridge: string,
  description: string,
  settings: Readonly<Record<string, string>> | undefined,
) => SwitchPort

export class DevicePorts {
  /** By the device's name; of those with a connected interface. */
  readonly #links = new Map<string, DeviceLink>()
  readonly #entries = new Set<SwitchPort>()

  readonly #say: Say

  constructor(say: Say) {
    this.#say = say
  }

  add({ name: device, directory, interfaces }: FabricDevice, addPort: AddPort): void {
    const ports: DevicePort[] = []
    for (const { name, bridge, settings } of interfaces) {
      if (bridge === null) continue
      const entry = addPort(bridge, `${device}:${name}`, settings)
      this.#entries.add(entry)
      ports.push({ interface: name, entry })
    }
    if (ports.length === 0) return
    const onPorts = (): void => this.#say('info', `${device} is plugged in`)
    const onEnd = (why: string): void => this.#say('info', `${device} is unplugged: ${why}`)
    this.#links.set(device, new DeviceLink({ device, directory, ports, onPorts, onEnd }))
  }

  /** Plugs in those whose process is there and who are not plugged in: one of them, or all. */
  connect(device?: string): void {
    if (device !== undefined) this.#links.get(device)?.connect()
    else for (const link of this.#links.values()) link.connect()
  }

  /** The device sees whether its port has been set down. */
  portChanged(entry: SwitchPort): void {
    if (this.#entries.has(entry) && entry.port instanceof TapPort)
      setTapCarrier(entry.port.fd, !entry.isLinkDown)
  }

  close(): void {
    for (const link of this.#links.values()) link.close()
  }
}
