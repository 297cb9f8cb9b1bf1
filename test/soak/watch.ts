/** The processes of agent and hub, looked at every second: which they are, their memory, their file descriptors. */
import { readdirSync } from 'node:fs'
import { hubProcesses, isRunning, residentOf } from '#test/support/hub-processes.ts'
import type { Hub } from '#test/support/hub.ts'
import type { Running } from '#test/support/process.ts'

const EVERY_MS = 1000
const MIB = 1 << 20

export interface Sample {
  atMs: number
  pid: number
  residentMib: number
}

function descriptors(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return 0 // it ended meanwhile
  }
}

/** `gateway-1` is a gateway: which of them has the tunnel does not matter. */
const kindOf = (name: string): string => name.replace(/-\d+$/, '')

export class Watch {
  /** Every agent and supervisor that there was. */
  readonly programs = new Set<Running>()
  /** By process: `agent`, `fabric`, `gateway-1` ... */
  readonly samples = new Map<string, Sample[]>()
  /** Processes that ended and were not ended by us. */
  readonly lost: string[] = []
  readonly #hub: Hub
  #agent: Running
  readonly #current = new Map<string, number>()
  readonly #ended = new Set<number>()
  readonly #timer: NodeJS.Timeout

  constructor(hub: Hub, agent: Running) {
    this.#hub = hub
    this.#agent = agent
    this.#timer = setInterval(() => this.#sample(), EVERY_MS)
    this.#sample()
  }

  get agent(): Running {
    return this.#agent
  }

  set agent(agent: Running) {
    this.#agent = agent
    this.programs.add(agent)
  }

  /** Says before it is done that a process will be ended. */
  willEnd(pid: number): number {
    this.#ended.add(pid)
    return pid
  }

  processes(): Map<string, number> {
    const found = hubProcesses(this.#hub)
    if (this.agent.alive) found.set('agent', this.agent.pid)
    return found
  }

  /** Open file descriptors, by kind of process. */
  descriptors(): Map<string, number> {
    const sums = new Map<string, number>()
    for (const [name, pid] of this.processes())
      sums.set(kindOf(name), (sums.get(kindOf(name)) ?? 0) + descriptors(pid))
    return sums
  }

  /** Resident memory at the last look, MiB: of the agent, of all processes of the hub. */
  resident(): { agent: number; hub: number } {
    const last = { agent: 0, hub: 0 }
    for (const [name, samples] of this.samples)
      last[name === 'agent' ? 'agent' : 'hub'] += samples.at(-1)?.residentMib ?? 0
    return last
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #sample(): void {
    const atMs = performance.now()
    this.programs.add(this.#agent).add(this.#hub.process)
    for (const [name, pid] of this.#current) {
      if (isRunning(pid)) continue
      this.#current.delete(name)
      if (!this.#ended.has(pid)) this.lost.push(`${name} (pid ${pid})`)
    }
    for (const [name, pid] of this.processes()) {
      const residentMib = residentOf(pid) / MIB
      if (!(residentMib > 0)) continue // it ended meanwhile
      this.#current.set(name, pid)
      const samples = this.samples.get(name) ?? []
      this.samples.set(name, samples)
      samples.push({ atMs, pid, residentMib })
    }
  }
}
