/** The switches of one forwarding process, and what is plugged into them. */
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { plainAddress } from '#net/port/nic/carrier.ts'
import { CableEnd, layCable } from '#net/port/cable.ts'
import { MAX_WIRE_FRAME, type Port } from '#net/port/port.ts'
import { MAX_VDE_FRAME } from '#net/port/vde/vde-port.ts'
import { formatPortMode, parsePortMode } from '#net/switch/port-mode.ts'
import type { Switch, SwitchPort } from '#net/switch/switch.ts'
import { shortName } from '#hub/base/fabric-sockets.ts'
import { someNames } from '#hub/base/some-names.ts'
import { Attachment, type AttachmentConfig, type Say } from '#hub/fabric/attachment.ts'
import { Bridge, type BridgeConfig } from '#hub/fabric/bridge.ts'
import { CarrierGuard } from '#hub/fabric/carrier-guard.ts'
import { DevicePorts, type FabricDevice } from '#hub/fabric/device-ports.ts'
import { type ManagementConfig, openManagementPort } from '#hub/fabric/management.ts'
import type {
  AddressReading,
  BridgeReading,
  FabricCounters,
  LinkReading,
  PortReading,
  VlansReading,
} from '#hub/fabric/readings.ts'
import {
  applySettings,
  BRIDGE_SETTINGS,
  PORT_SETTINGS,
  type PortTarget,
  readSettings,
} from '#hub/fabric/settings.ts'
import { TunnelStreams } from '#hub/fabric/tunnel-streams.ts'
import type { RstpReading } from '#hub/fabric/spanning-tree.ts'
import type { MgmtConfig } from '#hub/vde/console/options.ts'
import { ConsoleServer } from '#hub/vde/console/server.ts'
import { ctlMode, prepareDirectory, type VdeConfig } from '#hub/vde/directory.ts'
import { VdeServer } from '#hub/vde/server.ts'

export interface FabricConfig {
  /** The hub's own: its host key's fingerprint. */
  readonly identity?: string | undefined
  readonly bridges: readonly BridgeConfig[]
  readonly attach: readonly AttachmentConfig[]
  /** Between bridges. */
  readonly cables?: readonly CableConfig[]
  /** Of the topology whose bridges these are. */
  readonly devices?: readonly FabricDevice[]
  /** The topology's management network; left out: it has none. */
  readonly management?: ManagementConfig
}

export interface CableConfig {
  readonly ends: readonly [CableEndConfig, CableEndConfig]
}

interface CableEndConfig {
  readonly bridge: string
  /** Of the port, as `bridge port set` takes them. */
  readonly settings?: Readonly<Record<string, string>>
}

/** What a gateway says of a tunnel that it wants joined to a bridge. */
export interface TunnelRequest {
  /** Of an agent, or of a client of VDE that came through SSH. */
  readonly kind: 'tunnel' | 'plug'
  readonly bridge: string
  readonly user: string
  /** The agent's name, for people. */
  readonly name: string
  /** The agent's port key: the same user's tunnel with the same key is the same port, now from elsewhere. */
  readonly key: string
  /** Of the tunnel of the same user that this stream is to be a part of; undefined: it is a tunnel itself. */
  readonly token?: string | undefined
  readonly superFrames: boolean
  readonly largestFrame: number
  /** The hub's address of the SSH connection: its interface must not be attached here. */
  readonly localAddress: string
  /** The other end's: the interface of the way to it must not either. */
  readonly peerAddress: string
}

/** How long a port with its counters waits for an agent that left. */
const KEEP_ENTRY_MS = 600_000
/** Tunnels, present and remembered, of one user: bounds what one account can hold. */
const TUNNELS_PER_USER = 128
/** Connections beyond the first of each. */
const FURTHER_PER_USER = 128
const AGE_EVERY_MS = 1000
/** Twice what a topology names: with those that agents ask for. */
const MOST_BRIDGES = 2048
const connections = (count: number): string => (count === 1 ? '1 connection' : `${count} connections`)
/** Names of attached ports. */
const ATTACHED = /^(?:nic|tap):|^vde:\//

interface TunnelEntry {
  readonly bridge: Bridge
  readonly entry: SwitchPort
  readonly user: string
  streams: TunnelStreams | undefined
  /** When the agent left, in the time of `now`; undefined while it is there. */
  leftAt: number | undefined
  address: string
  /** When it came or left last, milliseconds since 1970. */
  since: number
  joins: number
  /** Why it left. */
  reason: string
}

export class Fabric {
  readonly #bridges = new Map<string, Bridge>()
  readonly #attachments: Attachment[] = []
  readonly #cables: CableEnd[] = []
  readonly #devices: DevicePorts
  readonly #carrierGuard: CarrierGuard
  readonly #tunnels = new Map<string, TunnelEntry>()
  readonly #identity: string | undefined
  readonly #say: Say
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout
  #anonymous = 0
  #management: Port | undefined
  /** Why bridges that were to have a VDE directory or a console have none. */
  readonly #socketProblems: string[] = []
  /** Groups of VDE directories: clients open their sockets to them, so this process must be a member. */
  readonly vdeGroups: number[] = []

  constructor(config: FabricConfig, say: Say, now: () => number) {
    this.#say = say
    this.#now = now
    this.#identity = config.identity
    for (const settings of config.bridges) this.#makeBridge(settings)
    this.#devices = new DevicePorts(say)
    for (const device of config.devices ?? [])
      this.#devices.add(device, (bridge, description, wanted) =>
        this.#addReserved(bridge, description, wanted),
      )
    // Before what is attached: that may be plugged into one of these.
    for (const { name, vde, mgmt } of config.bridges) {
      if (vde) this.#openVde(this.#bridge(name), vde)
      if (mgmt) this.#openConsole(this.#bridge(name), mgmt)
    }
    this.#carrierGuard = new CarrierGuard(this.#attachments, say)
    for (const attachment of config.attach) {
      const { bridge, kind, argument, mode, settings } = attachment
      const entry = this.#addReserved(bridge, `${kind}:${argument}`, settings, mode)
      this.#attachments.push(new Attachment(attachment, entry, say, this.#attachments))
    }
    for (const cable of config.cables ?? []) this.#layCable(cable)
    // After the process has dropped root's rights: devices' processes are nobody's friends.
    queueMicrotask(() => this.#devices.connect())
    if (config.management) this.#openManagement(config.management)
    this.#timer = setInterval(() => this.#age(), AGE_EVERY_MS)
  }

  /** Makes a bridge, if there is none of that name. @throws ProtocolError `too-many-bridges` */
  addBridge(name: string): void {
    if (this.#bridges.has(name)) return
    if (this.#bridges.size >= MOST_BRIDGES)
      throw new ProtocolError('too-many-bridges', `${MOST_BRIDGES} bridges are there already`)
    this.#makeBridge({ name })
    this.#say('info', `bridge ${name} is made, as it is joined`)
  }

  /** Why configured interfaces are not attached, and directories not used; empty when all are. */
  problems(): string[] {
    return [...this.#attachments.map((a) => a.problem).filter((why) => why !== ''), ...this.#socketProblems]
  }

  bridges(): BridgeReading[] {
    return [...this.#bridges.values()].map((bridge) => ({
      name: bridge.name,
      ports: bridge.switch.ports().length,
      settings: readSettings(BRIDGE_SETTINGS, bridge),
    }))
  }

  /** @throws ProtocolError `unknown-bridge` */
  ports(bridge?: string): PortReading[] {
    return this.#selected(bridge).flatMap((selected) =>
      selected.switch.ports().map((port) => ({
        bridge: selected.name,
        number: port.number,
        name: port.name,
        description: port.description,
        up: port.up,
        mode: formatPortMode(port.mode),
        untaggedVlan: port.untaggedVlan,
        qnq: port.qnq,
        strict: port.strict,
        maxFrame: port.maxFrame,
        addresses: port.addresses,
        loop: port.loop,
        settings: readSettings(PORT_SETTINGS, this.#target(selected, port.number)),
        counters: port.counters,
      })),
    )
  }

  /** Changes a port, whole or not at all. @throws ProtocolError `unknown-bridge`, `unknown-port`, `bad-setting` */
  setPort(bridge: string, port: number | string, wanted: Readonly<Record<string, string>>): void {
    applySettings(PORT_SETTINGS, this.#target(this.#bridge(bridge), port), wanted)
  }

  /** Changes a bridge, whole or not at all. @throws ProtocolError `unknown-bridge`, `bad-setting` */
  setBridge(bridge: string, wanted: Readonly<Record<string, string>>): void {
    applySettings(BRIDGE_SETTINGS, this.#bridge(bridge), wanted)
  }

  /** Sets counters to 0: of one port, or of all ports and VLANs. @throws ProtocolError `unknown-bridge`, `unknown-port` */
  resetCounters(bridge: string | undefined, port: number | string | undefined): void {
    for (const selected of this.#selected(bridge)) {
      const numbers = port === undefined ? selected.switch.ports().map(({ number }) => number) : [port]
      for (const number of numbers) this.#target(selected, number).entry.counters.reset()
      if (port === undefined) selected.switch.vlanCounters.reset()
    }
  }

  /** All that the metrics process asks for. */
  counters(): FabricCounters {
    const bridges = [...this.#bridges.values()].map(({ name, switch: { table } }) => ({
      bridge: name,
      addresses: table.size,
      capacity: table.capacity,
      evicted: table.evicted,
      refused: table.refused,
    }))
    return { memoryOctets: process.memoryUsage.rss(), bridges, ports: this.ports(), vlans: this.vlans() }
  }

  /** @throws ProtocolError `unknown-bridge` */
  rstp(bridge?: string): RstpReading[] {
    return this.#selected(bridge).map((selected) => selected.spanningTree.read())
  }

  /** @throws ProtocolError `unknown-bridge` */
  addresses(bridge?: string): AddressReading[] {
    return this.#selected(bridge).flatMap((selected) =>
      selected.switch.addresses().map((a) => ({ bridge: selected.name, ...a })),
    )
  }

  /** @throws ProtocolError `unknown-bridge` */
  vlans(bridge?: string): VlansReading[] {
    return this.#selected(bridge).map(({ name, switch: selected }) => ({
      bridge: name,
      transparent: selected.portList
        .filter((entry) => entry.mode.kind === 'transparent' && selected.mirrorSources(entry).length === 0)
        .map(({ number }) => number),
      vlans: selected.vlans(),
    }))
  }

  /**
   * Joins a tunnel to a bridge. A tunnel of the same user with the same key is told to go, and its port taken over.
   * @param fd  a connected, non-blocking stream socket that carries frame records; belongs to the fabric when this returns
   * @param answer  is given the port's number, and what further streams are to show, before anything is sent to it, as
   *   RSTP sends at once
   * @throws ProtocolError `unknown-bridge`, `too-many-tunnels`, `carries-tunnel`, `no-tunnel`
   */
  joinTunnel(request: TunnelRequest, fd: number, answer: (port: number, token: string) => void): void {
    const bridge = this.#bridge(request.bridge)
    this.#carrierGuard.check(request)
    if (request.token !== undefined) return this.#joinFurther(request, request.token, fd, answer)
    const id =
      request.key === ''
        ? `${this.#anonymous++}`
        : JSON.stringify([request.bridge, request.user, request.key])
    const known = this.#tunnels.get(id)
    if (known?.streams) this.#takeOver(known)
    const tunnel = known ?? this.#addTunnel(id, bridge, request.user)
    tunnel.leftAt = undefined
    tunnel.address = plainAddress(request.peerAddress)
    tunnel.since = Date.now()
    tunnel.joins++
    tunnel.reason = ''
    tunnel.entry.description = `${request.user}@${request.name}`
    const streams = new TunnelStreams({
      name: `${request.kind}:${request.user}@${request.name}`,
      fd,
      superFrames: request.superFrames,
      maxFrame: request.kind === 'plug' ? MAX_VDE_FRAME : Math.min(request.largestFrame, MAX_WIRE_FRAME),
      entry: tunnel.entry,
      onEnd: (why) => {
        this.#say('info', `${request.user}@${request.name} left ${request.bridge}: ${why}`)
        this.#leave(id, tunnel, streams, why)
      },
      onCount: (count) =>
        this.#say('info', `port ${tunnel.entry.number} of ${request.bridge} has ${connections(count)} now`),
    })
    tunnel.streams = streams
    answer(tunnel.entry.number, streams.token)
    tunnel.entry.connect(streams.port)
    this.#say(
      'info',
      `${request.user}@${request.name} joined ${request.bridge} as port ${tunnel.entry.number}`,
    )
  }

  /** The process of a device is there. */
  deviceUp(device: string): void {
    this.#devices.connect(device)
  }

  /** @throws ProtocolError `unknown-bridge` */
  links(bridge?: string): LinkReading[] {
    const selected = this.#selected(bridge)
    return [...this.#tunnels.values()]
      .filter((tunnel) => selected.includes(tunnel.bridge))
      .map((tunnel) => ({
        bridge: tunnel.bridge.name,
        port: tunnel.entry.number,
        name: tunnel.entry.description,
        address: tunnel.address,
        connected: tunnel.leftAt === undefined,
        since: tunnel.since,
        roundTripMs: tunnel.streams?.roundTripMs ?? null,
        reconnects: tunnel.joins - 1,
        reason: tunnel.reason,
      }))
  }

  /** For those who look on. @throws ProtocolError `unknown-bridge`, `unknown-port` */
  switchOf(bridge: string, port?: number): Switch {
    const found = this.#bridge(bridge)
    if (port !== undefined) this.#target(found, port)
    return found.switch
  }

  close(): void {
    clearInterval(this.#timer)
    this.#devices.close()
    for (const attachment of this.#attachments) attachment.close()
    for (const end of this.#cables) end.close()
    this.#management?.close()
    for (const tunnel of this.#tunnels.values()) {
      tunnel.entry.disconnect()
      tunnel.streams?.port.close()
    }
    for (const bridge of this.#bridges.values()) {
      bridge.console?.close()
      bridge.vde?.close()
      bridge.close()
    }
  }

  #makeBridge(config: BridgeConfig): void {
    const { name, settings = {} } = config
    const onPortChange = (entry: SwitchPort, why: string): void => this.#portChanged(name, entry, why)
    const bridge = new Bridge(config, onPortChange, {
      identity: this.#identity,
      say: this.#say,
      now: this.#now,
    })
    applySettings(BRIDGE_SETTINGS, bridge, settings)
    this.#bridges.set(name, bridge)
  }

  /** A port that has its number from the start. @param mode  as `parsePortMode` reads it */
  #addReserved(
    name: string,
    description: string,
    settings: Readonly<Record<string, string>> = {},
    mode = 'mode=transparent',
  ): SwitchPort {
    const bridge = this.#bridge(name)
    const entry = bridge.switch.addEntry(undefined, parsePortMode(mode))
    entry.description = description
    entry.isReserved = true
    applySettings(PORT_SETTINGS, { bridge, entry }, settings)
    return entry
  }

  #layCable({ ends: [a, b] }: CableConfig): void {
    const names = [`cable:${shortName(b.bridge)}`, `cable:${shortName(a.bridge)}`] as const
    const entries = [
      this.#addReserved(a.bridge, names[0], a.settings),
      this.#addReserved(b.bridge, names[1], b.settings),
    ] as const
    const ports = layCable(names, ...entries)
    this.#cables.push(...ports)
    entries[0].connect(ports[0])
    entries[1].connect(ports[1])
  }

  #openManagement(config: ManagementConfig): void {
    const entry = this.#addReserved(config.bridge, 'dhcp')
    this.#management = openManagementPort(config, this.#identity ?? '', entry)
    entry.connect(this.#management)
  }

  #openConsole(bridge: Bridge, config: MgmtConfig): void {
    try {
      bridge.console = new ConsoleServer({ bridge, config, say: this.#say, now: this.#now })
    } catch (error) {
      this.#socketProblems.push(reasonOf(error))
      this.#say('warn', `${reasonOf(error)}; ${bridge.name} goes on without it`)
    }
  }

  /** Makes the directory now, with root's rights; its sockets when they are dropped, as the user who removes them. */
  #openVde(bridge: Bridge, config: VdeConfig): void {
    try {
      const { path: directory, group } = prepareDirectory(config)
      if (group !== undefined) this.vdeGroups.push(group)
      queueMicrotask(() => this.#serveVde(bridge, directory, ctlMode(config)))
    } catch (error) {
      this.#socketProblems.push(reasonOf(error))
      this.#say('warn', `${reasonOf(error)}; ${bridge.name} goes on without it`)
    }
  }

  #serveVde(bridge: Bridge, directory: string, mode: number): void {
    try {
      bridge.vde = new VdeServer({
        directory,
        mode,
        switch: bridge.switch,
        access: bridge.access,
        say: this.#say,
      })
      this.#say('info', `${bridge.name} serves VDE clients in ${directory}`)
    } catch (error) {
      this.#say('warn', `${reasonOf(error)}; ${bridge.name} goes on without it`)
    }
  }

  #bridge(name: string): Bridge {
    const found = this.#bridges.get(name)
    if (found) return found
    const names = someNames([...this.#bridges.keys()])
    throw new ProtocolError('unknown-bridge', `no bridge ${JSON.stringify(name)} here; bridges: ${names}`)
  }

  #selected(bridge: string | undefined): Bridge[] {
    return bridge === undefined ? [...this.#bridges.values()] : [this.#bridge(bridge)]
  }

  /** @param port  its number, or its description if no other port has it */
  #target(bridge: Bridge, port: number | string): PortTarget {
    const isIt = (entry: SwitchPort): boolean => entry.number === port || entry.description === port
    const [entry, another] = bridge.switch.portList.filter(isIt)
    if (entry && another) {
      const why = `${bridge.name} has more than one port ${port}: say its number`
      throw new ProtocolError('unknown-port', why)
    }
    if (entry) return { bridge, entry }
    const numbers = bridge.switch.ports().map(({ number }) => number)
    throw new ProtocolError(
      'unknown-port',
      `${bridge.name} has no port ${port}; ports: ${someNames(numbers.map(String))}`,
    )
  }

  #addTunnel(id: string, bridge: Bridge, user: string): TunnelEntry {
    const own = [...this.#tunnels].filter(([, tunnel]) => tunnel.user === user)
    if (own.length >= TUNNELS_PER_USER) {
      const left = own
        .filter(([, t]) => t.leftAt !== undefined)
        .sort(([, a], [, b]) => (a.leftAt ?? 0) - (b.leftAt ?? 0))
      const oldest = left[0]
      if (!oldest)
        throw new ProtocolError('too-many-tunnels', `${user} has ${TUNNELS_PER_USER} tunnels already`)
      this.#forget(...oldest)
    }
    const tunnel: TunnelEntry = {
      bridge,
      entry: bridge.switch.addEntry(),
      user,
      streams: undefined,
      leftAt: undefined,
      address: '',
      since: 0,
      joins: 0,
      reason: '',
    }
    tunnel.entry.isReserved = true
    this.#tunnels.set(id, tunnel)
    return tunnel
  }

  #joinFurther(
    request: TunnelRequest,
    token: string,
    fd: number,
    answer: (port: number, token: string) => void,
  ): void {
    const own = [...this.#tunnels.values()].filter(({ user }) => user === request.user)
    const tunnel = own.find(
      ({ bridge, streams }) => bridge.name === request.bridge && streams?.token === token,
    )
    if (!tunnel?.streams)
      throw new ProtocolError('no-tunnel', 'the tunnel that this connection was to join is gone')
    const further = own.reduce((sum, { streams }) => sum + Math.max(0, (streams?.count ?? 0) - 1), 0)
    if (tunnel.streams.isFull || further >= FURTHER_PER_USER)
      throw new ProtocolError('too-many-tunnels', `${request.user} has enough connections`)
    tunnel.streams.join(fd, () => answer(tunnel.entry.number, token))
  }

  #takeOver(tunnel: TunnelEntry): void {
    this.#say(
      'info',
      `port ${tunnel.entry.number} of ${tunnel.bridge.name} is taken over from ${tunnel.entry.description}`,
    )
    tunnel.entry.disconnect()
    tunnel.streams?.end(
      'taken-over',
      'an agent with the same interface joined this bridge and took the port over',
    )
    tunnel.streams = undefined
  }

  #leave(id: string, tunnel: TunnelEntry, streams: TunnelStreams, why: string): void {
    streams.close()
    if (tunnel.streams !== streams) return
    tunnel.streams = undefined
    tunnel.entry.disconnect()
    tunnel.leftAt = this.#now()
    tunnel.since = Date.now()
    tunnel.reason = why
    if (!id.startsWith('[')) this.#forget(id, tunnel)
  }

  #forget(id: string, tunnel: TunnelEntry): void {
    this.#tunnels.delete(id)
    tunnel.bridge.switch.removeEntry(tunnel.entry.number)
    tunnel.bridge.access.remove(tunnel.entry.number)
  }

  /** What is attached goes down and comes back: that is told; tunnels and VDE clients have lines of their own. */
  #portChanged(bridge: string, entry: SwitchPort, why: string): void {
    if (entry.port instanceof CableEnd) entry.port.far?.setUp(!entry.isLinkDown, why)
    this.#devices.portChanged(entry)
    if (entry.port === null || !ATTACHED.test(entry.port.name)) return
    // A switch of VDE answers later; whoever opened a port that is down has told why.
    if (!entry.isUp && why === `${entry.port.name} connected`) return
    if (!entry.isUp) this.#say('warn', `${entry.description} on ${bridge} is down: ${why}`)
    else this.#say('info', `${entry.description} on ${bridge} is up`)
  }

  #age(): void {
    const now = this.#now()
    for (const bridge of this.#bridges.values()) bridge.tick(now)
    this.#devices.connect()
    for (const [id, tunnel] of this.#tunnels)
      if (tunnel.leftAt !== undefined && now - tunnel.leftAt > KEEP_ENTRY_MS) this.#forget(id, tunnel)
  }
}
