/** One bridge of the hub: its switch, and what belongs to it. */
import { Switch, type SwitchPort } from '#net/switch/switch.ts'
import { PortAccessTable } from '#hub/vde/port-access.ts'
import type { MgmtConfig } from '#hub/vde/console/options.ts'
import type { ConsoleServer } from '#hub/vde/console/server.ts'
import type { VdePlugs } from '#hub/vde/console/vde-plugs.ts'

export interface BridgeConfig {
  readonly name: string
  /** Seconds after which an address that is silent is forgotten. */
  readonly ageing?: number | undefined
  /** Socket of its management console; undefined: it has none. */
  readonly mgmt?: MgmtConfig | undefined
}

export class Bridge {
  readonly name: string
  readonly switch: Switch
  readonly access = new PortAccessTable()
  /** Its VDE server; null: it has none. */
  vde: VdePlugs | null = null
  /** Its management console; null: it has none. */
  console: ConsoleServer | null = null

  constructor(config: BridgeConfig, onPortChange: (entry: SwitchPort, why: string) => void) {
    const { name, ageing } = config
    this.name = name
    this.switch = new Switch({
      name,
      ...(ageing === undefined ? {} : { ageingMs: ageing * 1000 }),
      onPortChange: (entry, why) => {
        this.console?.portsChanged()
        onPortChange(entry, why)
      },
    })
  }

  /** To be called about once a second. @param now  monotonic milliseconds */
  tick(now: number): void {
    this.switch.tick(now)
    this.console?.tick()
  }

  /** After all ports have been disconnected. */
  close(): void {
    this.switch.close()
  }
}
