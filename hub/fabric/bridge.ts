/** One bridge of the hub: its switch, and what belongs to it. */
import { LinkSchedule } from '#net/impairment/link-schedule.ts'
import { TimerAlarm } from '#net/port/timer-alarm.ts'
import { Switch, type SwitchPort } from '#net/switch/switch.ts'
import type { VdeConfig } from '#hub/vde/directory.ts'
import { PortAccessTable } from '#hub/vde/port-access.ts'
import type { VdeServer } from '#hub/vde/server.ts'

export interface BridgeConfig {
  readonly name: string
  /** Seconds after which an address that is silent is forgotten. */
  readonly ageing?: number | undefined
  /** Where clients of VDE plug in; undefined: nowhere. */
  readonly vde?: VdeConfig | undefined
}

export class Bridge {
  readonly name: string
  readonly switch: Switch
  /** Which users of the machine may plug in where. */
  readonly access = new PortAccessTable()
  /** Null when clients of VDE cannot plug in. */
  vde: VdeServer | null = null
  #links: LinkSchedule | undefined

  constructor(config: BridgeConfig, onPortChange: (entry: SwitchPort, why: string) => void) {
    const { name, ageing } = config
    this.name = name
    this.switch = new Switch({
      name,
      ...(ageing === undefined ? {} : { ageingMs: ageing * 1000 }),
      onPortChange,
    })
  }

  /** Of its impaired links; there from the first use. @throws SystemError when no timer can be had */
  get links(): LinkSchedule {
    return (this.#links ??= new LinkSchedule(
      () => performance.now(),
      (onTime) => new TimerAlarm(onTime),
    ))
  }

  /** To be called about once a second. @param now  monotonic milliseconds */
  tick(now: number): void {
    this.switch.tick(now)
  }

  /** After all ports have been disconnected. */
  close(): void {
    this.switch.close()
    this.#links?.close()
  }
}
