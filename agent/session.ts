/**
 * One link of this machine as it runs: the interface, the connection to the hub, the tunnels on it. What shows it (report,
 * full-screen view, `hconnect status`) reads it and hears its events; it shows nothing itself.
 */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

import { seededRandom } from '#agent/backoff.ts'
import { Bridge } from '#agent/bridge.ts'
import { refuseCarrier, refuseWay } from '#agent/carrier.ts'
import { EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import type { Hub } from '#agent/hub.ts'
import { Link } from '#agent/link.ts'
import type { Driver } from '#agent/options.ts'
import { portKey, portKeyNow } from '#agent/port-key.ts'
import type { LinkReading, PortReading } from '#agent/report.ts'
import { plainAddress } from '#net/port/nic/carrier.ts'
import { nicHygiene } from '#net/port/nic/hygiene.ts'

export interface SessionOptions {
  readonly hub: Hub
  /** Of the hub. */
  readonly bridge: string
  /** Interface name. */
  readonly nic: string
  /** MTU to raise it to, in octets; undefined: as far as the product goes. */
  readonly mtu: number | undefined
  readonly driver: Driver
  readonly allowUplink: boolean
  readonly superFrames: boolean
  readonly latencyControl: boolean
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

/** The tunnel to one bridge of the hub. */
export interface RemoteReading {
  readonly bridge: string
  /** VID of the LAN's frames that belong to it; undefined: all frames as they are. */
  readonly vlan: number | undefined
  readonly port: PortReading
}

/** What a session shows of itself; port 1 is the LAN's interface, port 2 and up are the tunnels. */
export interface SessionReading {
  readonly link: LinkReading
  readonly local: PortReading
  readonly remotes: readonly RemoteReading[]
}

export class Session {
  readonly #options: SessionOptions
  readonly #bridge: Bridge
  readonly #link: Link
  #isReached = false

  /**
   * Opens the interface; nothing is dialled yet.
   * @throws ExitError when it is missing, may not be opened, or is the one through which the hub is reached
   */
  static async open(options: SessionOptions): Promise<Session> {
    const { nic, hub, allowUplink } = options
    if (!allowUplink) await refuseWay(nic, hub.nearest)
    const session = new Session(options)
    await session.#bridge.opened()
    return session
  }

  private constructor(options: SessionOptions) {
    this.#options = options
    const { nic, mtu, driver, allowUplink, events } = options
    this.#bridge = new Bridge({ nic, mtu, driver, allowUplink, onUp: () => this.#followNic() }, (text) =>
      events.onNotice(text),
    )
    this.#link = this.#makeLink()
  }

  get reading(): SessionReading {
    const { nic, bridge } = this.#options
    const { state, since, address, roundTripMs, reconnects, attempt, reason } = this.#link
    return {
      link: { state, since, hub: address, bridge, nic, roundTripMs, reconnects, attempt, reason },
      local: this.#bridge.local,
      remotes: [{ bridge, vlan: undefined, port: this.#bridge.remote }],
    }
  }

  /**
   * Runs until `stop`, after which it resolves.
   * @throws ExitError when the first connection fails, or something that no reconnect mends happens later
   */
  async run(): Promise<void> {
    try {
      await this.#link.run()
    } catch (error) {
      if (error instanceof ExitError && error.exitCode === EXIT_UNREACHABLE)
        this.#reached(this.#options.hub.target.host, false)
      throw error
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
  }

  #makeLink(): Link {
    const { hub, bridge, nic, superFrames, latencyControl, events } = this.#options
    const { uplink } = this.#bridge
    return new Link({
      name: `${hostname()}:${nic}`,
      bridge,
      port: this.#bridge.tunnel,
      portKey: portKey(nic),
      superFrames,
      latencyControl,
      random: seededRandom(randomBytes(4).readUInt32LE()),
      dial: (lastRoundTripMs, signal) =>
        hub.dial(lastRoundTripMs, signal, {
          onAddress: (address, port) => uplink?.dialling(address, port),
          onSocket: async (socket) => {
            this.#reached(plainAddress(socket.remoteAddress ?? hub.target.host), true)
            if (uplink === undefined) await refuseCarrier(this.#bridge.called, socket)
            else uplink.connected(socket)
          },
        }),
      events: {
        onConnected: (address, peer, reconnects) => {
          events.onConnected(address, peer.name, reconnects)
          if (reconnects > 0) return
          for (const warning of nicHygiene(this.#bridge.called, uplink !== undefined))
            events.onNotice(warning)
        },
        onLost: (reason) => events.onLost(reason),
        onRetry: (reason) => events.onRetry(reason),
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
