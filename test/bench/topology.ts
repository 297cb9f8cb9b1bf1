/** `npm run bench -- topology`: fifty devices on sixty bridges, started and stopped, beside namespaces made by hand. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { main } from '#test/bench/bench.ts'
import { BRIDGES, configurationOf, DEVICES, namespaceScript, topologyFile } from '#test/bench/fifty.ts'
import { median } from '#test/bench/figures.ts'
import { askProcess } from '#test/support/ask-process.ts'
import { Hub } from '#test/support/hub.ts'
import type { Lab } from '#test/support/netns.ts'

interface Figures {
  startSeconds: number
  stopSeconds: number
  memoryMb: number
  resetSeconds: number
}

const TIMEOUT_MS = 300_000
const RESETS = ['h0', 'h10', 'h20', 'h30', 'h40']

async function ours(lab: Lab): Promise<Figures> {
  const set = join(lab.directory, 'fifty')
  mkdirSync(set)
  writeFileSync(join(set, 'topology.vmm'), topologyFile())
  for (let device = 0; device < DEVICES; device++)
    writeFileSync(join(set, `h${device}.conf`), configurationOf(device))
  const hub = await Hub.start(lab.namespace('hub'), { address: '127.0.0.1', bridges: [] })
  try {
    const before = new Set(descendantsOf(hub.process.pid))
    const startSeconds = await seconds(() =>
      hub.command(['topology', 'start', set, '--json'], { timeoutMs: TIMEOUT_MS }),
    )
    const memoryMb = pssMb(descendantsOf(hub.process.pid).filter((pid) => !before.has(pid)))
    const resets: number[] = []
    for (const device of RESETS)
      resets.push(
        await seconds(() => askProcess(hub, 'control', 'device.reset', { topology: 'fifty', device })),
      )
    const stopSeconds = await seconds(() =>
      hub.command(['topology', 'stop', 'fifty'], { timeoutMs: TIMEOUT_MS }),
    )
    return { startSeconds, stopSeconds, memoryMb, resetSeconds: median(resets) }
  } finally {
    await hub.stop() // devices have networks of their own, which the laboratory does not know
  }
}

async function byHand(lab: Lab): Promise<Figures> {
  const script = lab.namespace('hand').spawn('unshare', ['--mount', 'sh', '-c', namespaceScript()])
  const [, started] = await script.line(/^started (\d+)$/, { deadlineMs: TIMEOUT_MS })
  const memoryMb = pssMb(descendantsOf(script.pid))
  script.child.stdin.write('stop\n')
  const [, stopped] = await script.line(/^stopped (\d+)$/, { deadlineMs: TIMEOUT_MS })
  await script.exited
  const [startSeconds, stopSeconds] = [Number(started) / 1000, Number(stopped) / 1000]
  return { startSeconds, stopSeconds, memoryMb, resetSeconds: Number.NaN }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return (performance.now() - from) / 1000
}

function descendantsOf(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(read(`/proc/${entry}/status`))?.[1] ?? 0)
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
  }
  const found = [...(children.get(root) ?? [])]
  for (const pid of found) found.push(...(children.get(pid) ?? []))
  return found
}

/** Memory of processes, what they share counted once: MB of 2^20 octets. */
function pssMb(pids: readonly number[]): number {
  const kib = pids.map((pid) =>
    Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0),
  )
  return kib.reduce((sum, one) => sum + one, 0) / 1024
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return '' // it ended meanwhile
  }
}

await main<Figures>({
  name: 'topology',
  rounds: 1,
  columns: [
    { figure: 'startSeconds', title: 'start s', digits: 1 },
    { figure: 'stopSeconds', title: 'stop s', digits: 1 },
    { figure: 'memoryMb', title: 'memory MB', digits: 0 },
    { figure: 'resetSeconds', title: 'reset s', digits: 2 },
  ],
  candidates: [
    { name: 'ours', title: 'Hybridge: hosts with consoles, disks, limits', measure: ours },
    { name: 'hand', title: 'network namespaces and kernel bridges, by script', measure: byHand },
  ],
  rules: [
    { kind: 'aim', figure: 'startSeconds', of: 'ours', most: 10 },
    { kind: 'aim', figure: 'stopSeconds', of: 'ours', most: 5 },
    { kind: 'aim', figure: 'memoryMb', of: 'ours', most: 3072 },
    { kind: 'aim', figure: 'resetSeconds', of: 'ours', most: 1 },
  ],
  notes: [
    `${DEVICES} devices with 3 interfaces each on ${BRIDGES} bridges; from the command until it says that all run`,
    'memory: PSS of all processes of the topology; reset: the median of five devices, one after the other',
  ],
})
