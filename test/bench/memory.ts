/** Resident memory of agent and hub while one TCP flow fills the tunnel. */
import { readFileSync } from 'node:fs'
import { bulk, startServer } from '#test/bench/measure.ts'
import { ourTunnel } from '#test/bench/ours.ts'
import { inLab } from '#test/bench/rounds.ts'
import type { Verdict } from '#test/bench/rules.ts'
import type { Namespace } from '#test/support/netns.ts'

const SECONDS = 60
const SETTLING_SECONDS = 10
const FLAT_MB = 20

/** VmRSS of every process in the namespace, MB of 2^20 bytes. */
function residentMb(namespace: Namespace): number {
  let kilobytes = 0
  for (const pid of namespace.pids()) {
    try {
      kilobytes += Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
    } catch {
      // it ended meanwhile
    }
  }
  return kilobytes / 1024
}

export function measureMemory(
  congestion: string,
  progress: (text: string) => void,
): Promise<{ verdicts: Verdict[]; raw: object }> {
  return inLab(async (lab) => {
    const way = await ourTunnel(lab)
    await startServer(way)
    await way.from.reaches(way.address)
    progress(`memory: ${SECONDS} s of TCP`)
    const samples = way.joining.map((): number[] => [])
    const timer = setInterval(() => {
      for (const [i, namespace] of way.joining.entries()) samples[i]?.push(residentMb(namespace))
    }, 1000)
    const { gbps } = await bulk(way, 'cubic', SECONDS)
    clearInterval(timer)
    const verdicts = samples.map((all, i): Verdict => {
      const flat = all.slice(SETTLING_SECONDS)
      const [least, most] = [Math.min(...flat), Math.max(...flat)]
      const who = i === 0 ? 'agent' : 'hub'
      const range = `${least.toFixed(0)} to ${most.toFixed(0)} MB after ${SETTLING_SECONDS} s`
      const text = `memory of the ${who} at ${gbps.toFixed(2)} Gbit/s: ${range}, within ${FLAT_MB} MB`
      return { kind: 'bar', text, value: most - least, passed: flat.length > 0 && most - least <= FLAT_MB }
    })
    return { verdicts, raw: { gbps, agentMb: samples[0], hubMb: samples[1] } }
  }, congestion)
}
