/** One run: laboratory, traffic, faults, and what is left at the end. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { reasonOf } from '#net/base/errors.ts'
import { startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { Ping } from '#test/support/ping.ts'
import { until } from '#test/support/process.ts'
import { FAR_ADDRESS, HUB_ADDRESS } from '#test/support/site.ts'
import { checkEnd, checkExact, checkLogs, checkProcesses, interfaces } from '#test/soak/checks.ts'
import type { Circumstances, Fault } from '#test/soak/faults.ts'
import { buildSoakLab } from '#test/soak/lab.ts'
import type { SoakLab } from '#test/soak/lab.ts'
import { Random } from '#test/soak/random.ts'
import { Traffic } from '#test/soak/traffic.ts'
import type { Check, FaultFigures, Verdict } from '#test/soak/verdict.ts'
import { Watch } from '#test/soak/watch.ts'

/** Agent, supervisor, control, fabric and two gateways. */
const PROCESSES = 6
const PROGRESS_MS = 10_000
const SETTLING_MS = 5000
const BETWEEN_MS = [5000, 15_000] as const
/** Without faults, before the traffic ends. */
const CALM_MS = 20_000
/** Until pings are answered and every process runs, after a fault. */
const BACK_MS = 20_000

export interface SoakOptions {
  minutes: number
  seed: number
  /** Of these kinds only. */
  kinds: readonly Fault[]
  progress: (text: string) => void
}

export async function soak({ minutes, seed, kinds, progress }: SoakOptions): Promise<Verdict> {
  const lab = new Lab()
  const faults = new Map<string, FaultFigures>()
  const checks: Check[] = []
  const machines = buildSoakLab(lab)
  try {
    progress(`soak: ${minutes} minutes, seed ${seed}`)
    await run({ lab, machines, random: new Random(seed), kinds, faults, checks, progress }, minutes * 60_000)
  } catch (error) {
    checks.push({ what: 'the run comes to its end', passed: false, text: reasonOf(error) })
  }
  const passed = checks.every((check) => check.passed)
  const gigabytes = received(machines) / 1e9
  const story = passed ? {} : { story: keep(lab.story()) }
  lab.close()
  return {
    soak: 'tunnel',
    seed,
    minutes,
    passed,
    faults: Object.fromEntries(faults),
    gigabytes,
    checks,
    ...story,
  }
}

function keep(story: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'hybridge-soak-')), 'story.txt')
  writeFileSync(file, story)
  return file
}

/** Octets that the hosts received. */
const received = ({ pc, pc2, far, far2 }: SoakLab): number =>
  [pc, pc2, far, far2].reduce((sum, host) => sum + host.state('eth0').stats64.rx.bytes, 0)

interface Parts {
  lab: Lab
  machines: SoakLab
  random: Random
  kinds: readonly Fault[]
  /** Filled, as is `checks`. */
  faults: Map<string, FaultFigures>
  checks: Check[]
  progress: (text: string) => void
}

async function run(parts: Parts, durationMs: number): Promise<void> {
  const { lab, machines, random, kinds, faults, checks, progress } = parts
  const found = interfaces(machines)
  const hub = await Hub.start(machines.hub, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
  const knownHosts = join(lab.directory, 'known_hosts')
  const start = (): ReturnType<typeof startAgent> =>
    startAgent(machines.site, { hub, nic: 'lan', knownHosts, json: true })
  const watch = new Watch(hub, await start())
  const ping = await Ping.start(machines.pc, FAR_ADDRESS, 0.2)
  await pause(SETTLING_MS)
  const descriptors = watch.descriptors()

  const from = performance.now()
  const traffic = new Traffic(machines)
  const timer = report(parts, watch, from)
  const circumstances = { machines, hub, watch, random, startAgent: start }
  const middle = from + durationMs / 2
  const end = from + durationMs
  try {
    await fail(kinds, middle, circumstances, ping, parts)
    const calm = performance.now()
    const gentle = kinds.filter(({ ends = false }) => !ends)
    await fail(gentle, end - CALM_MS, circumstances, ping, parts)
    await pause(Math.max(CALM_MS, end - performance.now()))
    const finished = performance.now()
    await traffic.stop()
    ping.stop()
    checks.push({
      what: 'faults came',
      passed: faults.size > 0,
      text: `${faults.size} of ${kinds.length} kinds`,
    })
    checks.push({
      what: 'traffic flowed',
      passed: traffic.completed > 0,
      text: `${traffic.completed} runs of iperf3 came to their end`,
    })
    checks.push(...(await checkExact(machines, watch.agent, hub)))
    checks.push(...checkProcesses(watch, descriptors, { from: calm, to: finished }))
  } finally {
    clearInterval(timer)
    watch.stop()
    ping.stop()
    await traffic.stop().catch(() => {}) // told above, unless something else failed before
  }
  progress(`${faults.size} kinds of faults; everything is stopped`)
  watch.willEnd(watch.agent.pid)
  const agentEnd = await watch.agent.stop()
  const hubEnd = await hub.stop()
  checks.push(...checkEnd(machines, found, [agentEnd, hubEnd]))
  checks.push(...checkLogs(hub, watch))
}

/** One fault after the other, every kind before one comes again. */
async function fail(
  kinds: readonly Fault[],
  untilMs: number,
  circumstances: Circumstances,
  ping: Ping,
  { random, faults }: Parts,
): Promise<void> {
  for (let waiting: Fault[] = []; ;) {
    const gapMs = random.between(...BETWEEN_MS)
    if (performance.now() + gapMs > untilMs) break
    await pause(gapMs)
    if (waiting.length === 0) waiting = random.shuffled(kinds)
    const fault = waiting.pop()
    if (!fault) break
    await fault.inject(circumstances)
    const overMs = performance.now()
    await back(fault, circumstances, ping)
    const { count = 0, slowestMs = 0 } = faults.get(fault.name) ?? {}
    const tookMs = performance.now() - overMs
    faults.set(fault.name, { count: count + 1, slowestMs: Math.max(slowestMs, tookMs) })
    await checkTunnel(fault, circumstances)
  }
}

async function back({ name, backMs = BACK_MS }: Fault, { watch }: Circumstances, ping: Ping): Promise<void> {
  try {
    await Promise.all([
      ping.answered(backMs),
      until('every process runs', () => watch.processes().size === PROCESSES, BACK_MS),
    ])
  } catch (error) {
    throw new Error(`after "${name}": ${reasonOf(error)}`, { cause: error })
  }
}

/** No other one is left behind. */
async function checkTunnel({ name }: Fault, { hub }: Circumstances): Promise<void> {
  const { stdout } = await hub.command(['show', 'ports', 'private0', '--json'])
  const ports: { name: string; up: boolean }[] = JSON.parse(stdout)
  const tunnels = ports.filter((port) => port.name.startsWith('tunnel:'))
  if (tunnels.length !== 1 || tunnels[0]?.up !== true)
    throw new Error(`after "${name}": not one tunnel at the hub, which is up: ${JSON.stringify(tunnels)}`)
}

function report({ machines, faults, progress }: Parts, watch: Watch, fromMs: number): NodeJS.Timeout {
  let octets = received(machines)
  let atMs = fromMs
  return setInterval(() => {
    const now = performance.now()
    const octetsNow = received(machines)
    const mbps = ((octetsNow - octets) * 8) / ((now - atMs) * 1000)
    ;[octets, atMs] = [octetsNow, now]
    const { agent, hub } = watch.resident()
    const fds = [...watch.descriptors()].map(([name, count]) => `${name} ${count}`).join(', ')
    const count = [...faults.values()].reduce((sum, fault) => sum + fault.count, 0)
    const elapsed = `${Math.round((now - fromMs) / 1000)} s`
    const memory = `agent ${agent.toFixed(0)} MiB, hub ${hub.toFixed(0)} MiB`
    progress(`${elapsed}: ${mbps.toFixed(0)} Mbit/s; ${memory}; descriptors: ${fds}; ${count} faults`)
  }, PROGRESS_MS)
}
