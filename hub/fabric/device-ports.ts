/**
 * Interfaces of a topology's devices as ports of its bridges: they have their numbers from the start, in the order of
 * the file, and are down until the device's process is there.
 */
import { TapPort } from '#net/port/tap-port.ts'
import { setTapCarrier } from '#net/port/tap-device.ts'
import type { SwitchPort } from '#net/switch/switch.ts'
import type { Say } from '#hub/fabric/attachment.ts'
import type { Bridge } from '#hub/fabric/bridge.ts'
import { applySettings, PORT_SETTINGS } from '#hub/fabric/settings.ts'
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

export class DevicePorts {
  /** By the device's name; of those with a connected interface. */
  readonly #links = new Map<string, DeviceLink>()
  readonly #entries = new Set<SwitchPort>()

  constructor(devices: readonly FabricDevice[], bridgeOf: (name: string) => Bridge, say: Say) {
    for (const { name: device, directory, interfaces } of devices) {
      const ports: DevicePort[] = []
      for (const { name, bridge: bridgeName, settings = {} } of interfaces) {
        if (bridgeName === null) continue
        const bridge = bridgeOf(bridgeName)
        const entry = bridge.switch.addEntry()
        applySettings(PORT_SETTINGS, { bridge, entry }, settings)
        entry.description = `${device}:${name}`
        entry.isReserved = true
        this.#entries.add(entry)
        ports.push({ interface: name, entry })
      }
      if (ports.length === 0) continue
      const onPorts = (): void => say('info', `${device} is plugged in`)
      const onEnd = (why: string): void => say('info', `${device} is unplugged: ${why}`)
      this.#links.set(device, new DeviceLink({ device, directory, ports, onPorts, onEnd }))
    }
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
