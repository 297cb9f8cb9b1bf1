/**
 * One link of this machine as it runs: the interface, the connection to the hub, the tunnels on it. What shows it (report,
 * full-screen view, `hconnect status`) reads it and hears its events; it shows nothing itself.
 */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

import { seededRandom } from '#agent/link/backoff.ts'
import { ask } from '#agent/login/ask.ts'
import { Bridge } from '#agent/lan/bridge.ts'
import type { BridgeChoice } from '#agent/lan/bridge-choice.ts'
import { refuseCarrier, refuseWay } from '#agent/lan/carrier.ts'
import type { HubConnection } from '#agent/link/dial.ts'
import { EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import type { Hub } from '#agent/hub.ts'
import type { Inspection } from '#agent/lan/inspection.ts'
import { Link } from '#agent/link/link.ts'
import type { Driver } from '#agent/options.ts'
import { pastBlackHoles } from '#agent/way/path-watch.ts'
import { portKey, portKeyNow } from '#agent/link/port-key.ts'
import { LanRing } from '#agent/service/lan-ring.ts'
import type { LinkReading, PortReading, RemoteReading } from '#agent/report.ts'
import { RemotePorts } from '#agent/view/remote-ports.ts'
import { Surroundings } from '#agent/link/surroundings.ts'
import { plainAddress } from '#net/port/nic/carrier.ts'
import { nicHygiene } from '#net/port/nic/hygiene.ts'
import type { ViewBridge } from '#net/view/source.ts'

export interface SessionOptions {
  readonly hub: Hub
  /** Of the hub: one with all frames, or some with a VLAN each. */
  readonly bridges: readonly BridgeChoice[]
  /** Interface name. */
  readonly nic: string
  /** MTU to raise it to, in octets; undefined: as far as the product goes. */
  readonly mtu: number | undefined
  readonly driver: Driver
  readonly allowUplink: boolean
  readonly superFrames: boolean
  readonly latencyControl: boolean
  /** To the hub, for one link. */
  readonly connections: number | 'auto'
  /** A hub that cannot be reached at first is dialled again, as one that was lost. */
  readonly isPatient: boolean
  /** Octets of the LAN's last frames that are kept for `hconnect capture`; undefined: none. */
  readonly captureRing: number | undefined
  readonly events: SessionEvents
}

export interface SessionEvents {
  /** Told once: whether the hub's port could be reached. */
  onReached(address: string, ok: boolean): void
  onConnected(address: string, peer: string, reconnects: number): void
  onLost(reason: string): void
  /** A reconnect failed, for another reason than the one before. */
  onRetry(reason: string): void
  /** Something that people should know; one line. */
  onNotice(text: string): void
}

/** What a session shows of itself; port 1 is the LAN's interface, port 2 and up are the tunnels. */
export interface SessionReading {
  readonly link: LinkReading
  readonly local: PortReading
  readonly remotes: readonly RemoteReading[]
}

/** Number of the interface's port. */
export const LAN_PORT = 1

export class Session {
  readonly #options: SessionOptions
  readonly #bridge: Bridge
  readonly #link: Link
  readonly #remotePorts: RemotePorts<HubConnection>
  #isReached = false
  /** The last frames of the LAN, if they are kept. */
  readonly ring: LanRing | undefined

  /**
   * Opens the interface; nothing is dialled yet.
   * @throws ExitError when it is missing, may not be opened, or is the one through which the hub is reached
   */
  static async open(options: SessionOptions): Promise<Session> {
    const { nic, bridges, hub, mtu, driver, allowUplink, events } = options
    if (!allowUplink) await refuseWay(nic, hub.nearest)
    let session: Session | undefined
    const onUp = (): void => {
      if (session !== undefined) session.#followNic()
    }
    const bridge = new Bridge({ nic, bridges, mtu, driver, allowUplink, onUp }, (text) =>
      events.onNotice(text),
    )
    await bridge.opened()
    try {
      session = new Session(options, bridge)
      return session
    } catch (error) {
      bridge.close()
      throw error
    }
  }

  private constructor(options: SessionOptions, bridge: Bridge) {
    this.#options = options
    this.#bridge = bridge
    const { nic } = options
    if (options.captureRing !== undefined) {
      this.ring = new LanRing(nic, options.captureRing)
      this.#bridge.observeLan(this.ring.capture)
    }
    this.#link = this.#makeLink()
    this.#remotePorts = new RemotePorts(this.#bridge.remotes, ask)
  }

  get reading(): SessionReading {
    const { nic, bridges } = this.#options
    const bridge = bridges.map((choice) => choice.bridge).join(',')
    const { state, since, address, roundTripMs, connections, reconnects, attempt, reason } = this.#link
    return {
      link: {
        state,
        since,
        hub: address,
        bridge,
        nic,
        roundTripMs,
        connections,
        reconnects,
        attempt,
        reason,
      },
      local: this.#bridge.local,
      remotes: this.#bridge.remoteReadings,
    }
  }

  /** What may be looked at, and done, on the agent's switch. */
  get inspection(): Inspection {
    return this.#bridge.inspection
  }

  /** The hub's ports as they were answered last; asks for them again. Nothing when the hub does not tell. */
  get remotePorts(): readonly ViewBridge[] {
    return this.#remotePorts.read(this.#link.hub, performance.now())
  }

  /**
   * Runs until `stop`, after which it resolves.
   * @throws ExitError when the first connection fails, or something that no reconnect mends happens later
   */
  async run(): Promise<void> {
    const surroundings = new Surroundings({
      onNetworkChange: () => this.#link.networkChanged(),
      onWake: (sleptMs) => this.#link.woke(sleptMs),
      onNotice: (text) => this.#options.events.onNotice(text),
    })
    try {
      await this.#link.run()
    } catch (error) {
      if (error instanceof ExitError && error.exitCode === EXIT_UNREACHABLE)
        this.#reached(this.#options.hub.target.host, false)
      throw error
    } finally {
      surroundings.close()
    }
  }

  /** Drops the connection, if there is one, and dials at once. */
  reconnectNow(): void {
    this.#link.reconnectNow()
  }

  /** Tells the hub that we leave. `run` then resolves. */
  stop(): void {
    this.#link.stop()
  }

  /** Restores the interface. */
  close(): void {
    this.#bridge.close()
    this.ring?.close()
  }

  #makeLink(): Link {
    const { hub, nic, superFrames, latencyControl, connections, isPatient, events } = this.#options
    const { uplink } = this.#bridge
    const onBlackHole = (found: string, remedy: string): void =>
      events.onNotice(`${found}. To mend it, ${remedy}`)
    return new Link({
      name: `${hostname()}:${nic}`,
      remotes: this.#bridge.remotes,
      portKey: portKey(nic),
      superFrames,
      latencyControl,
      connections,
      isPatient,
      random: seededRandom(randomBytes(4).readUInt32LE()),
      dial: (lastRoundTripMs, signal) =>
        pastBlackHoles({ onBlackHole }, (watch) =>
          hub.dial(lastRoundTripMs, signal, {
            onAddress: (address, port) => uplink?.dialling(address, port),
            onSocket: async (socket) => {
              watch(socket)
              this.#reached(plainAddress(socket.remoteAddress ?? hub.target.host), true)
              if (uplink === undefined) await refuseCarrier(this.#bridge.called, socket)
              else uplink.connected(socket)
            },
          }),
        ),
      events: {
        onConnected: (address, peer, reconnects) => {
          events.onConnected(address, peer.name, reconnects)
          if (reconnects > 0) return
          for (const warning of nicHygiene(this.#bridge.called, uplink !== undefined))
            events.onNotice(warning)
        },
        onLost: (reason) => events.onLost(reason),
        onRetry: (reason) => events.onRetry(reason),
        onNotice: (text) => events.onNotice(text),
      },
    })
  }

  #reached(address: string, ok: boolean): void {
    if (!this.#isReached) this.#options.events.onReached(address, ok)
    this.#isReached = true
  }

  /** The interface is up again, and may be another one of the same name. */
  #followNic(): void {
    const key = portKeyNow(this.#options.nic)
    if (key !== undefined) this.#link.changePortKey(key)
  }
}
