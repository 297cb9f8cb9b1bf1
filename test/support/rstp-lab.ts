/**
 * Bridges that speak RSTP, joined by segments, in virtual time. A segment with two ports is a link; with more, shared
 * media. BPDUs take some milliseconds, in order. What forwards is looked at after every single action.
 */
import { decodeBpdu } from '#net/stp/bpdu.ts'
import { DEFAULT_PORT_PRIORITY, type PortSettings, type PortState } from '#net/stp/port.ts'
import { Rstp } from '#net/stp/rstp.ts'
import type { Action, BridgeSettings } from '#net/stp/state.ts'

export const BRIDGE: BridgeSettings = { priority: 32_768, hello: 2, maxAge: 20, forwardDelay: 15 }
export const PORT: PortSettings = {
  priority: DEFAULT_PORT_PRIORITY,
  pathCost: 20_000,
  edge: 'no',
  pointToPoint: true,
}

interface End {
  readonly bridge: number
  readonly port: number
  /** Number of its segment. */
  readonly segment: number
  state: PortState
}

interface Arrival {
  readonly at: number
  readonly order: number
  readonly to: End
  readonly frame: Uint8Array
}

export class RstpLab {
  readonly bridges: Rstp[]
  readonly ends: End[] = []
  now = 0
  flushes: { bridge: number; port: number; at: number }[] = []
  sent: { bridge: number; port: number; frame: Uint8Array; at: number }[] = []
  /** When a port's state changed last. */
  changedAt = 0
  /** When frames could have gone round, and where; of ports that are not cut. */
  loops: string[] = []
  /** Frames on these segments are lost, and nobody is told. */
  readonly silent = new Set<number>()
  /** Of one BPDU, in ms. */
  delay: () => number = () => 1
  readonly #segments = new Map<number, End[]>()
  readonly #byPort = new Map<string, End>()
  readonly #lastArrival = new Map<End, number>()
  #arrivals: Arrival[] = []
  #order = 0

  /** @param priorities  one bridge each; the address of bridge `i` ends in `i + 1` */
  constructor(priorities: readonly number[]) {
    this.bridges = priorities.map(
      (priority, i) => new Rstp(0x0200_0000_0001n + BigInt(i), { ...BRIDGE, priority }),
    )
  }

  bridge(i: number): Rstp {
    return this.bridges[i] ?? fail(`no bridge ${i}`)
  }

  end(bridge: number, port: number): End {
    return this.#byPort.get(`${bridge}.${port}`) ?? fail(`no port ${bridge}.${port}`)
  }

  role(bridge: number, port: number): string {
    return this.bridge(bridge).bridge.ports.get(port)?.role ?? 'none'
  }

  /** Joins ports `[bridge, port]` to one segment, links up. @returns its number */
  join(members: readonly (readonly [number, number])[], settings: Partial<PortSettings> = {}): number {
    const segment = this.#segments.size
    const ends = members.map(([bridge, port]): End => ({ bridge, port, segment, state: 'discarding' }))
    this.#segments.set(segment, ends)
    for (const end of ends) {
      this.ends.push(end)
      this.#byPort.set(`${end.bridge}.${end.port}`, end)
      const pointToPoint = members.length <= 2
      const bridge = this.bridge(end.bridge)
      this.#do(end.bridge, bridge.addPort(end.port, { ...PORT, pointToPoint, ...settings }, this.now))
    }
    for (const end of ends) this.setLink(end, true)
    return segment
  }

  /** Takes a segment's links up or down. */
  setSegment(segment: number, isUp: boolean): void {
    for (const end of this.#segments.get(segment) ?? []) this.setLink(end, isUp)
  }

  setLink(end: End, isUp: boolean): void {
    this.#do(end.bridge, this.bridge(end.bridge).setLink(end.port, isUp, this.now))
  }

  act(bridge: number, event: (rstp: Rstp, now: number) => Action[]): void {
    this.#do(bridge, event(this.bridge(bridge), this.now))
  }

  /** Runs for so many milliseconds. */
  run(ms: number): void {
    const until = this.now + ms
    for (;;) {
      const arrival = this.#arrivals[0]
      const deadlines = this.bridges.map((rstp) => rstp.nextDeadline)
      const next = Math.min(arrival?.at ?? Infinity, ...deadlines)
      if (next > until) break
      this.now = next
      if (arrival && arrival.at === next) {
        this.#arrivals.shift()
        this.#arrive(arrival)
      } else {
        const i = deadlines.indexOf(next)
        this.#do(i, this.bridge(i).tick(next))
      }
    }
    this.now = until
  }

  /** Runs until something is so, in steps of 1 ms. @returns how long it took; Infinity when it is not so in a minute */
  runUntil(isSo: () => boolean): number {
    const since = this.now
    while (!isSo()) {
      if (this.now - since > 60_000) return Infinity
      this.run(1)
    }
    return this.now - since
  }

  /** How long it took from `since` until the last state changed; 0 when none did. */
  settledAfter(since: number): number {
    return Math.max(0, this.changedAt - since)
  }

  /** Why it is no spanning tree of what is connected; empty when it is one. */
  faults(): string[] {
    const faults = [...this.loops]
    if (this.bridges.some((rstp) => !rstp.isSettled)) faults.push('a bridge does not settle')
    const live = this.ends.filter((end) => this.#isLive(end))
    const physical = new Union()
    const logical = new Union()
    for (const end of live) {
      physical.join(`b${end.bridge}`, `s${end.segment}`)
      if (end.state === 'forwarding') logical.join(`b${end.bridge}`, `s${end.segment}`)
    }
    for (const [i, rstp] of this.bridges.entries()) {
      const peers = this.bridges.filter((_, j) => physical.isSame(`b${i}`, `b${j}`))
      const best = peers.map((peer) => peer.bridge.bridgeIdentifier).reduce((a, b) => (a < b ? a : b))
      if (rstp.bridge.rootPriority.root !== best) faults.push(`bridge ${i} has another root`)
      for (let j = 0; j < i; j++)
        if (physical.isSame(`b${i}`, `b${j}`) && !logical.isSame(`b${i}`, `b${j}`))
          faults.push(`bridges ${j} and ${i} are apart`)
    }
    for (const [segment, ends] of this.#segments) {
      const designated = ends.filter(
        (end) => this.#isLive(end) && this.role(end.bridge, end.port) === 'designated',
      )
      const count = ends.some((end) => this.#isLive(end)) ? 1 : 0
      if (designated.length !== count) faults.push(`segment ${segment}: ${designated.length} designated`)
    }
    return faults
  }

  #isLive(end: End): boolean {
    return this.bridge(end.bridge).bridge.ports.get(end.port)?.portEnabled === true
  }

  #arrive({ to, frame }: Arrival): void {
    const bpdu = decodeBpdu(frame, 0, frame.length)
    if (bpdu === null) fail('a malformed BPDU was sent')
    if (!this.silent.has(to.segment))
      this.#do(to.bridge, this.bridge(to.bridge).receive(to.port, bpdu, this.now))
  }

  #do(bridge: number, actions: readonly Action[]): void {
    for (const action of actions) {
      const end = this.end(bridge, action.port)
      if (action.kind === 'state') {
        end.state = action.state
        this.changedAt = this.now
        this.#lookForLoops()
      } else if (action.kind === 'flush') this.flushes.push({ bridge, port: action.port, at: this.now })
      else this.#send(end, action.frame)
    }
  }

  #send(from: End, frame: Uint8Array): void {
    this.sent.push({ bridge: from.bridge, port: from.port, frame, at: this.now })
    for (const to of this.#segments.get(from.segment) ?? []) {
      if (to === from) continue
      const at = Math.max(this.now + this.delay(), this.#lastArrival.get(to) ?? 0)
      this.#lastArrival.set(to, at)
      this.#arrivals.push({ at, order: this.#order++, to, frame })
    }
    this.#arrivals.sort((a, b) => a.at - b.at || a.order - b.order)
  }

  #lookForLoops(): void {
    const union = new Union()
    for (const end of this.ends) {
      if (end.state !== 'forwarding' || !this.#isLive(end) || this.silent.has(end.segment)) continue
      if (!union.join(`b${end.bridge}`, `s${end.segment}`))
        this.loops.push(`loop at ${this.now} ms through bridge ${end.bridge} port ${end.port}`)
    }
  }
}

class Union {
  readonly #parents = new Map<string, string>()

  /** @returns false when they were joined already */
  join(a: string, b: string): boolean {
    const [rootA, rootB] = [this.#find(a), this.#find(b)]
    this.#parents.set(rootA, rootB)
    return rootA !== rootB
  }

  isSame(a: string, b: string): boolean {
    return this.#find(a) === this.#find(b)
  }

  #find(name: string): string {
    let at = name
    for (let up = this.#parents.get(at); up !== undefined && up !== at; up = this.#parents.get(at)) at = up
    return at
  }
}

function fail(why: string): never {
  throw new Error(why)
}
