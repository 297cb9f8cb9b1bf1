/** Traffic that fills a narrow way while something else is measured, and how much of it arrives. */
import type { Direction } from '#test/bench/bottleneck.ts'
import type { Namespace } from '#test/support/netns.ts'
import type { Running } from '#test/support/process.ts'
import { FAR_ADDRESS } from '#test/support/site.ts'

/** `tcp`: bulk flows with CUBIC; `udp`: datagrams at a rate that does not yield. */
export type LoadKind = 'tcp' | 'udp'

/** Lab PCs, each behind a tunnel of its own, that share the load evenly, and the host on the hub's switch. */
export interface Hosts {
  pcs: readonly Namespace[]
  far: Namespace
}

export const FLOWS = 8
const UDP_BPS = 20e6
const UDP_OCTETS = 1200
const FIRST_SERVER_PORT = 5201
/** Bulk flows have ports of this range at the PC, which tells them from iperf3's own connections. */
const FIRST_FLOW_PORT = 6000
const FLOW = /:(60\d\d)\s.*\bbytes_received:(\d+)/
const UDP_RECEIVED = /^Udp: (\d+)/m
/** Longer than any measurement. */
const SECONDS = 600

export class Load {
  readonly #kind: LoadKind
  readonly #receivers: readonly Namespace[]
  readonly #clients: readonly Running[]

  private constructor(kind: LoadKind, receivers: readonly Namespace[], clients: readonly Running[]) {
    this.#kind = kind
    this.#receivers = receivers
    this.#clients = clients
  }

  /** It goes on until the laboratory is closed. */
  static async start({ pcs, far }: Hosts, kind: LoadKind, direction: Direction): Promise<Load> {
    const clients: Running[] = []
    for (const [i, pc] of pcs.entries()) {
      const port = FIRST_SERVER_PORT + i
      far.spawn('iperf3', ['-s', '-p', String(port)])
      await far.listening(port)
      const args = ['-c', FAR_ADDRESS, '-p', String(port), '-t', String(SECONDS)]
      const reverse = direction === 'down' ? ['-R'] : []
      clients.push(pc.spawn('iperf3', [...args, ...reverse, ...shareOf(kind, i, pcs.length)]))
    }
    return new Load(kind, direction === 'up' ? [far] : pcs, clients)
  }

  /** Octets of payload received so far: of each flow by its port, or of all UDP. Fails when the load has ended. */
  received(): Map<string, number> {
    const ended = this.#clients.find((client) => !client.alive)
    if (ended) throw new Error(`${ended.title}: ended too early\n${ended.tail()}`)
    return this.#kind === 'tcp' ? this.#receivedTcp() : this.#receivedUdp()
  }

  #receivedTcp(): Map<string, number> {
    const flows = new Map<string, number>()
    for (const receiver of this.#receivers) {
      for (const line of receiver.exec('ss', '-tinHO').split('\n')) {
        const [, port, octets] = FLOW.exec(line) ?? []
        if (port !== undefined) flows.set(port, Number(octets))
      }
    }
    if (flows.size !== FLOWS) throw new Error(`${flows.size} of ${FLOWS} bulk flows found`)
    return flows
  }

  #receivedUdp(): Map<string, number> {
    const datagrams = this.#receivers.map((receiver) =>
      Number(UDP_RECEIVED.exec(receiver.exec('cat', '/proc/net/snmp'))?.[1]),
    )
    return new Map([['udp', datagrams.reduce((sum, count) => sum + count, 0) * UDP_OCTETS]])
  }
}

/** What iperf3 is told of the share of one PC. */
function shareOf(kind: LoadKind, index: number, count: number): string[] {
  if (kind === 'udp') return ['-u', '-b', String(UDP_BPS / count), '-l', String(UDP_OCTETS)]
  const flows = FLOWS / count
  return ['-C', 'cubic', '-P', String(flows), '--cport', String(FIRST_FLOW_PORT + index * flows)]
}
