/** One bridge of the hub: its switch, and what belongs to it. */
import { randomBytes } from 'node:crypto'
import { LinkSchedule } from '#net/impairment/link-schedule.ts'
import { TimerAlarm } from '#net/port/timer-alarm.ts'
import { Switch, type SwitchPort } from '#net/switch/switch.ts'
import { derivedMac } from '#hub/base/derived-mac.ts'
import type { Say } from '#hub/fabric/attachment.ts'
import { SpanningTree } from '#hub/fabric/spanning-tree.ts'
import type { MgmtConfig } from '#hub/vde/console/options.ts'
import type { ConsoleServer } from '#hub/vde/console/server.ts'
import type { VdeConfig } from '#hub/vde/directory.ts'
import { PortAccessTable } from '#hub/vde/port-access.ts'
import type { VdeServer } from '#hub/vde/server.ts'

export interface BridgeConfig {
  readonly name: string
  /** Seconds after which an address that is silent is forgotten. */
  readonly ageing?: number | undefined
  /** Where clients of VDE plug in; undefined: nowhere. */
  readonly vde?: VdeConfig | undefined
  /** Socket of its management console; undefined: it has none. */
  readonly mgmt?: MgmtConfig | undefined
  /** As `bridge set` takes them. */
  readonly settings?: Readonly<Record<string, string>> | undefined
}

/** What a bridge has from its hub. */
interface BridgeContext {
  /** What no other hub has, and this one always: bridges have their MAC addresses from it. Left out: random ones. */
  readonly identity?: string | undefined
  readonly say?: Say
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

export class Bridge {
  readonly name: string
  readonly switch: Switch
  readonly spanningTree: SpanningTree
  /** Which users of the machine may plug in where. */
  readonly access = new PortAccessTable()
  /** Null when clients of VDE cannot plug in. */
  vde: VdeServer | null = null
  /** Its management console; null: it has none. */
  console: ConsoleServer | null = null
  #links: LinkSchedule | undefined

  constructor(
    config: BridgeConfig,
    onPortChange: (entry: SwitchPort, why: string) => void,
    { identity, say = () => {}, now = () => performance.now() }: BridgeContext = {},
  ) {
    const { name, ageing } = config
    this.name = name
    this.switch = new Switch({
      name,
      ...(ageing === undefined ? {} : { ageingMs: ageing * 1000 }),
      onPortChange: (entry, why) => {
        this.spanningTree.portChanged(entry)
        this.console?.portsChanged()
        onPortChange(entry, why)
      },
      onLoop: (entry, isShut) => say(isShut ? 'warn' : 'info', this.#loopText(entry, isShut)),
    })
    this.switch.setLoopProtection(true)
    this.spanningTree = new SpanningTree(
      this.switch,
      addressOf(identity ?? randomBytes(16).toString('hex'), name),
      now,
    )
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
    this.spanningTree.tick()
    this.console?.tick()
  }

  /** After all ports have been disconnected. */
  close(): void {
    this.spanningTree.close()
    this.switch.close()
    this.#links?.close()
  }

  #loopText(entry: SwitchPort, isShut: boolean): string {
    const port = `port ${entry.number} (${entry.description})`
    if (!isShut) return `${this.name}: ${port} is open again after loop protection had shut it`
    const other = entry.hold === null ? null : this.switch.entry(entry.hold.other)
    const partner = other === null ? '' : ` and port ${other.number} (${other.description})`
    const seconds = (entry.hold?.holdMs ?? 0) / 1000
    return (
      `${this.name}: a loop leads through ${port}${partner}: the same frames come in at both; ` +
      `port ${entry.number} is shut for ${seconds} s (take one way between them away, or set rstp=on)`
    )
  }
}

const addressOf = (identity: string, bridge: string): bigint =>
  derivedMac(identity, bridge).reduce((address, octet) => (address << 8n) | BigInt(octet), 0n)
