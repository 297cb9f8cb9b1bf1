/** What must hold at the end of a run. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Hub } from '#test/support/hub.ts'
import { nicSettings } from '#test/support/nic-settings.ts'
import type { Finished, Running } from '#test/support/process.ts'
import { exactCounters } from '#test/soak/exact.ts'
import { flatness } from '#test/soak/flat.ts'
import type { SoakLab } from '#test/soak/lab.ts'
import type { Check } from '#test/soak/verdict.ts'
import type { Watch } from '#test/soak/watch.ts'

const DESCRIPTORS_MORE = 2
const STACK = /uncaught|unhandled|^\s+at \S.*:\d+:\d+\)?$|\\n\s+at /im

export async function checkExact(machines: SoakLab, agent: Running, hub: Hub): Promise<Check[]> {
  const results = await exactCounters(machines, agent, hub)
  return results.map(({ what, differences }) => ({
    what: `counters are exact: ${what}`,
    passed: differences.length === 0,
    text: differences.join('; ') || 'agent and hub agree',
  }))
}

/**
 * @param descriptors  by kind of process, before the first fault
 * @param calm  in which no process was ended, ms
 */
export function checkProcesses(
  watch: Watch,
  descriptors: ReadonlyMap<string, number>,
  calm: { from: number; to: number },
): Check[] {
  const memory = [...watch.samples].map(([name, samples]): Check => {
    const { second, last, isFlat } = flatness(samples, calm.from, calm.to)
    const peak = samples.reduce((most, { residentMib }) => Math.max(most, residentMib), 0)
    const text = `${second.toFixed(0)} then ${last.toFixed(0)} MiB in the last two of three parts of ${((calm.to - calm.from) / 1000).toFixed(0)} s; peak of the run ${peak.toFixed(0)} MiB`
    return { what: `memory is flat: ${name}`, passed: isFlat, text }
  })
  const open = watch.descriptors()
  const files = [...descriptors].map(([name, before]): Check => {
    const after = open.get(name) ?? 0
    return {
      what: `file descriptors: ${name}`,
      passed: after > 0 && after <= before + DESCRIPTORS_MORE,
      text: `${before} before, ${after} after`,
    }
  })
  const lost = {
    what: 'no process ended by itself',
    passed: watch.lost.length === 0,
    text: watch.lost.join(', ') || 'none',
  }
  return [...memory, ...files, lost]
}

/**
 * The settings of the bridged interfaces, a line each. Their MAC addresses are left out: one interface is deleted and
 * made again.
 */
export const interfaces = ({ site, hub }: SoakLab): string[] =>
  Object.entries({ agent: site, hub }).flatMap(([who, machine]) =>
    Object.entries(nicSettings(machine, 'lan'))
      .filter(([name]) => name !== 'address')
      .flatMap(([name, value]) =>
        String(value)
          .split('\n')
          .map((text) => `${who} ${name} ${text.trim()}`),
      ),
  )

/** After agent and hub were asked to end. */
export function checkEnd(machines: SoakLab, found: readonly string[], ends: readonly Finished[]): Check[] {
  const { site, hub } = machines
  const left = interfaces(machines)
  const records = [site, hub].flatMap((machine) => machine.nicRecords())
  const processes = [site, hub].flatMap((machine) => machine.pids())
  const codes = ends.map(({ code, signal }) => code ?? signal)
  return [
    {
      what: 'agent and hub end when asked',
      passed: codes.every((code) => code === 0),
      text: codes.join(', '),
    },
    {
      what: 'interfaces are as they were',
      passed: left.join() === found.join(),
      text: left.filter((line) => !found.includes(line)).join('; ') || `${found.length} settings`,
    },
    {
      what: 'nothing is left',
      passed: records.length + processes.length === 0,
      text: `records: ${records.join(', ') || 'none'}; processes: ${processes.join(', ') || 'none'}`,
    },
  ]
}

/** Logs of the hub, and what its supervisors and the agents said. */
export function checkLogs(hub: Hub, watch: Watch): Check[] {
  const folder = join(hub.data, 'log')
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
  const texts = [...files, ...[...watch.programs].map(({ lines }) => lines.join('\n'))]
  const lines = texts.flatMap((text) => text.split('\n'))
  const bad = lines.filter((line) => STACK.test(line))
  return [
    {
      what: 'logs without an uncaught error',
      passed: bad.length === 0,
      text: bad.slice(0, 5).join(' | ') || `${lines.length} lines`,
    },
  ]
}
