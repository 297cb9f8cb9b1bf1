/** Processes of a hub with two topologies are killed one after the other; what must not notice it, does not. */
import { isRecord } from '#net/base/unknown.ts'
import { parsePorts } from '#hub/command/show-text.ts'
import type { PortReading } from '#hub/fabric/readings.ts'
import { askProcess, pidOfProcess } from '#test/support/ask-process.ts'
import { killProcess, pidOf } from '#test/support/hub-processes.ts'
import type { Hub } from '#test/support/hub.ts'
import { until } from '#test/support/process.ts'
import type { Random } from '#test/soak/random.ts'
import { TOPOLOGIES, type TopologyLab, type TopologyName, type Way, WAYS } from '#test/soak/topology-lab.ts'

/** Twice what pings through a killed gateway may take to be answered again. */
const GATEWAY_MS = 6000
/** A process of a topology is started again, and its devices or tunnels are plugged in again. */
const PROCESS_MS = 20_000
/** Until the hub says that all is as before. */
const TRUE_MS = 20_000
const LONGEST_PAUSE_MS = 400

interface Victim {
  readonly name: string
  /** Where pings may be lost; nowhere else. */
  readonly disturbs: readonly Way[]
  readonly backMs: number
  kill(lab: TopologyLab): Promise<void>
}

const topologyVictims = (topology: TopologyName, ways: readonly Way[]): Victim[] => [
  {
    name: `fabric of ${topology}`,
    disturbs: ways,
    backMs: PROCESS_MS,
    kill: async ({ topologies }) => killProcess(await topologies[topology].fabricPid()),
  },
  {
    name: `device ${topology}/h2`,
    disturbs: [topology],
    backMs: PROCESS_MS,
    kill: async ({ topologies }) => killProcess((await topologies[topology].device(2)).pid),
  },
]

const VICTIMS: readonly Victim[] = [
  {
    name: 'supervisor',
    disturbs: [],
    backMs: 0,
    kill: async ({ hub }) => {
      await killProcess(pidOf(hub, 'supervisor'))
      await hub.process.exited
      await hub.serve() // as a service manager does
    },
  },
  {
    name: 'control',
    disturbs: [],
    backMs: 0,
    kill: ({ hub }) => killProcess(pidOf(hub, 'control')),
  },
  {
    name: 'gateway of the tunnel',
    disturbs: ['tunnel'],
    backMs: GATEWAY_MS,
    kill: async ({ hub }) => killProcess(pidOf(hub, await gatewayWith(hub, 1))),
  },
  {
    name: 'other gateway',
    disturbs: [],
    backMs: 0,
    kill: async ({ hub }) => killProcess(pidOf(hub, await gatewayWith(hub, 0))),
  },
  {
    name: 'telnet of one',
    disturbs: [],
    backMs: 0,
    kill: async ({ hub }) => killProcess(await pidOfProcess(hub, 'one:telnet')),
  },
  ...topologyVictims('one', ['one', 'tunnel']),
  ...topologyVictims('two', ['two']),
]

async function gatewayWith(hub: Hub, tunnels: number): Promise<'gateway-1' | 'gateway-2'> {
  const status = await askProcess(hub, 'gateway-1', 'status')
  return isRecord(status) && status['tunnels'] === tunnels ? 'gateway-1' : 'gateway-2'
}

export interface Kill {
  readonly victim: string
  /** Until what was disturbed was answered again, and the hub said so. */
  readonly backMs: number
}

/** @throws with the victim's name when something else notices it, or it does not come back */
export async function killAtRandom(
  lab: TopologyLab,
  random: Random,
  points: number,
  progress: (text: string) => void,
): Promise<Kill[]> {
  const kills: Kill[] = []
  const losses = new Losses(lab)
  await isTrue(lab)
  for (let waiting: Victim[] = []; kills.length < points;) {
    if (waiting.length === 0) waiting = random.shuffled(VICTIMS)
    const victim = waiting.pop()
    if (!victim) break
    await new Promise((resolve) => setTimeout(resolve, random.between(0, LONGEST_PAUSE_MS)))
    try {
      kills.push({ victim: victim.name, backMs: await killOne(lab, victim, losses) })
    } catch (error) {
      throw new Error(`after the end of ${victim.name} (${kills.length + 1} of ${points})`, { cause: error })
    }
    progress(`${kills.length} of ${points}: ${victim.name}, back in ${kills.at(-1)?.backMs.toFixed(0)} ms`)
  }
  return kills
}

async function killOne(lab: TopologyLab, victim: Victim, losses: Losses): Promise<number> {
  const port = await tunnelPort(lab)
  await losses.since()
  await victim.kill(lab)
  const from = performance.now()
  await Promise.all(victim.disturbs.map((way) => lab.pings[way].answered(victim.backMs)))
  const backMs = performance.now() - from
  await isTrue(lab)
  const lost = await losses.since()
  for (const way of WAYS.filter((one) => !victim.disturbs.includes(one)))
    if (lost[way].length > 0) throw new Error(`pings ${way} were lost: ${lost[way].join(', ')}`)
  const now = await tunnelPort(lab)
  const isKept = now.number === port.number && now.counters.inFrames >= port.counters.inFrames
  if (victim.name !== 'fabric of one' && !isKept)
    throw new Error(`the tunnel's port was ${JSON.stringify(port)}, and is ${JSON.stringify(now)}`)
  return backMs
}

/** The one of `one/private0` that is no device's. */
async function tunnelPort({ topologies }: TopologyLab): Promise<PortReading> {
  const found = (await topologies.one.ports()).filter(({ description }) => !/^h[12]:em1$/.test(description))
  const [port] = found
  if (!port || found.length > 1) throw new Error(`the tunnel has ${found.length} ports`)
  return port
}

/** Waits until the hub says that everything runs and is plugged in. */
async function isTrue({ hub, topologies }: TopologyLab): Promise<void> {
  await until(
    'all runs, and the hub says so',
    async () => {
      try {
        for (const name of TOPOLOGIES) {
          const { state, devices } = await topologies[name].status()
          if (state !== 'running' || devices.some((device) => device.state !== 'running')) return false
        }
        for (const name of ['gateway-1', 'gateway-2', 'one:telnet', 'two:telnet'])
          await askProcess(hub, name, 'status')
        const ports = parsePorts(await askProcess(hub, 'control', 'ports'))
        const up = ports.filter((port) => port.up).map(({ bridge }) => bridge)
        return up.sort().join() === 'one/private0,one/private0,one/private0,two/private0,two/private0'
      } catch {
        return false // one of them is being started
      }
    },
    TRUE_MS,
  )
}

/** Pings that were lost since the last look. */
class Losses {
  readonly #lab: TopologyLab
  readonly #known: Record<Way, Set<number>> = { one: new Set(), two: new Set(), tunnel: new Set() }

  constructor(lab: TopologyLab) {
    this.#lab = lab
  }

  async since(): Promise<Record<Way, number[]>> {
    const [one, two, tunnel] = await Promise.all(WAYS.map((way) => this.#since(way)))
    return { one: one ?? [], two: two ?? [], tunnel: tunnel ?? [] }
  }

  async #since(way: Way): Promise<number[]> {
    const lost = (await this.#lab.pings[way].lost()).filter((one) => !this.#known[way].has(one))
    for (const one of lost) this.#known[way].add(one)
    return lost
  }
}
