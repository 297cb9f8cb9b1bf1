/**
 * The agent's own switch: port 1 is the LAN's interface, port 2 and up are the tunnels. One tunnel that takes all frames
 * makes both ports transparent; else the interface is a trunk, and each tunnel an access port of its VLAN.
 */
import { randomInt } from 'node:crypto'
import { type BridgeChoice, UNTAGGED } from '#agent/lan/bridge-choice.ts'
import { EXIT_NO_NIC, EXIT_NO_PRIVILEGE, EXIT_OTHER, ExitError } from '#agent/exit-codes.ts'
import { Inspection } from '#agent/lan/inspection.ts'
import type { Driver } from '#agent/options.ts'
import type { PortReading, RemoteReading } from '#agent/report.ts'
import type { Remote } from '#agent/link/tunnels.ts'
import { Uplink } from '#agent/lan/uplink.ts'
import { SystemError } from '#net/base/errors.ts'
import { canonicalName } from '#net/port/nic/link.ts'
import { type Nic, openNic } from '#net/port/nic/nic.ts'
import { PcapPort } from '#net/port/pcap/pcap.ts'
import type { Port } from '#net/port/port.ts'
import { PortBundle } from '#net/port/tunnel/bundle.ts'
import { TunnelPort } from '#net/port/tunnel/tunnel.ts'
import { openUplink, UplinkPort } from '#net/port/nic/uplink.ts'
import type { FrameObserver } from '#net/switch/observer.ts'
import { type PortMode, TRANSPARENT } from '#net/switch/port-mode.ts'
import type { SwitchPort } from '#net/switch/switch-port.ts'
import { Switch } from '#net/switch/switch.ts'
import { TPID_C_TAG } from '#net/wire/ethernet.ts'

const TICK_MS = 1000

export interface BridgeOptions {
  /** Interface name. */
  readonly nic: string
  /** Of the hub: one with all frames, or some with a VLAN each. */
  readonly bridges: readonly BridgeChoice[]
  /** MTU to raise it to, in octets; undefined: as far as the product goes. */
  readonly mtu: number | undefined
  /** With `pcap`, `opened` tells when it is open, and whether. */
  readonly driver: Driver
  /** The interface may carry the tunnel itself. */
  readonly allowUplink: boolean
  /** The interface is up again, and may be another one of the same name. */
  readonly onUp: () => void
}

/** A tunnel of the agent's switch. */
interface BridgeRemote extends Remote {
  readonly vlan: number | undefined
  readonly entry: SwitchPort
}

type Interface = Port & Partial<Pick<Nic, 'called'>>

export class Bridge {
  /** Port 2 and up. */
  readonly remotes: readonly BridgeRemote[]
  /** To be told of the hub's addresses, where the interface may carry the tunnel. */
  readonly uplink: Uplink | undefined
  readonly inspection: Inspection
  readonly #switch: Switch
  readonly #local: SwitchPort
  readonly #nic: Interface
  readonly #name: string
  readonly #ticker: NodeJS.Timeout
  #open = false

  /**
   * Opens the interface; `log` is told what happens to it.
   * @throws ExitError when the interface is missing or may not be opened
   */
  constructor(options: BridgeOptions, log: (text: string) => void) {
    const { nic } = options
    this.#name = nic
    this.#switch = new Switch({
      name: 'hconnect',
      onPortChange: (entry, why) => {
        if (!this.#open || entry !== this.#local) return
        log(`${nic}: ${why}`)
        if (entry.isUp) options.onUp()
      },
    })
    this.inspection = new Inspection(this.#switch, log)
    this.#local = this.#switch.addEntry(1, lanMode(options.bridges))
    this.remotes = options.bridges.map((choice) => this.#addRemote(choice))
    const port = openInterface(options, this.#local, log)
    if (port instanceof UplinkPort) this.uplink = new Uplink((connections) => port.keepOut(connections))
    this.#nic = port
    this.#local.connect(port)
    this.#switch.tick(performance.now())
    this.#ticker = setInterval(() => this.#switch.tick(performance.now()), TICK_MS)
    this.#ticker.unref()
    this.#open = true
  }

  /** Resolves when the interface is open. @throws ExitError, with everything closed */
  async opened(): Promise<void> {
    try {
      if (this.#nic instanceof PcapPort) await this.#nic.opened
    } catch (error) {
      this.close()
      throw exitErrorOf(error)
    }
  }

  /** What the interface is called now; it may have been named otherwise, or be renamed meanwhile. */
  get called(): string {
    return this.#nic.called ?? canonicalName(this.#name)
  }

  get local(): PortReading {
    return read(this.#local)
  }

  get remoteReadings(): RemoteReading[] {
    return this.remotes.map(({ bridge, vlan, entry, outage }) => ({
      bridge,
      vlan,
      port: read(entry),
      outage,
    }))
  }

  /** Shows an observer each frame of the LAN's port, until the bridge is closed. */
  observeLan(observer: FrameObserver): void {
    this.#switch.observe(observer, this.#local.number)
  }

  /** Restores the interface. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    clearInterval(this.#ticker)
    this.#local.disconnect('closed')
    for (const { entry, port } of this.remotes) {
      entry.disconnect('closed')
      port.close()
    }
    this.#nic.close()
    this.#switch.close()
    this.inspection.close()
  }

  #addRemote({ bridge, vlan }: BridgeChoice): BridgeRemote {
    const entry = this.#switch.addEntry(
      undefined,
      vlan === undefined ? TRANSPARENT : { kind: 'access', vlan },
    )
    const first = new TunnelPort({
      name: `tunnel:${bridge}`,
      counters: entry.counters,
      sink: entry,
      seed: randomInt(2 ** 32),
    })
    const port = new PortBundle({ first, sink: entry, seed: randomInt(2 ** 32) })
    entry.connect(port)
    return { bridge, vlan, entry, port, outage: undefined }
  }
}

/** The interface's mode: a trunk of the VLANs that are mapped, untagged frames among them. */
function lanMode(bridges: readonly BridgeChoice[]): PortMode {
  const vlans = bridges.flatMap(({ vlan }) => (vlan === undefined ? [] : [vlan]))
  if (vlans.length === 0) return TRANSPARENT
  const tagged = vlans.filter((vlan) => vlan !== UNTAGGED).sort((a, b) => a - b)
  return {
    kind: 'trunk',
    native: vlans.includes(UNTAGGED) ? UNTAGGED : null,
    tagged: tagged.map((vlan) => [vlan, vlan] as const),
    tpid: TPID_C_TAG,
  }
}

function openInterface(bridge: BridgeOptions, entry: SwitchPort, log: (text: string) => void): Interface {
  const { nic, mtu, driver, allowUplink } = bridge
  const options = { interface: nic, mtu, counters: entry.counters, sink: entry, onWarning: log }
  try {
    if (driver === 'pcap') return new PcapPort(options)
    return allowUplink ? openUplink(options) : openNic(options)
  } catch (error) {
    throw exitErrorOf(error)
  }
}

function exitErrorOf(error: unknown): unknown {
  if (!(error instanceof SystemError)) return error
  return new ExitError(EXIT_OF_ERRNO[error.code] ?? EXIT_OTHER, error.message, { cause: error })
}

const EXIT_OF_ERRNO: Record<string, number> = {
  ENODEV: EXIT_NO_NIC,
  ENXIO: EXIT_NO_NIC,
  EPROTOTYPE: EXIT_NO_NIC,
  EPERM: EXIT_NO_PRIVILEGE,
  EACCES: EXIT_NO_PRIVILEGE,
}

function read(entry: SwitchPort): PortReading {
  const { up, qnq, strict, untaggedVlan, counters } = entry.read(0)
  return { active: up, qnq, strict, untaggedVlan, counters }
}
