/**
 * `npm run bench -- vde`: a TCP flow between two hosts, each on a TAP that vde_plug joins to the switch, and small frames
 * between pairs of clients that are written for speed.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { main } from '#test/bench/bench.ts'
import type { Column } from '#test/bench/figures.ts'
import { bulk, cpuSeconds, startServer } from '#test/bench/measure.ts'
import { Hub } from '#test/support/hub.ts'
import { pidOf } from '#test/support/hub-processes.ts'
import type { Lab, Namespace } from '#test/support/netns.ts'
import { until } from '#test/support/process.ts'

const LOAD = join(import.meta.dirname, 'vde-load.ts')
const PAIRS = 2
const SECONDS = 4
const SMALL = 64
const TCP_SECONDS = 5

interface VdeFigures {
  /** Frames of 64 octets received by all, thousands a second. */
  smallKpps: number
  /** One TCP flow received with CUBIC, Gbit/s. */
  tcpGbps: number
  /** Processor time of the switch for each frame of 64 octets that arrived. */
  smallMicros: number
}

const COLUMNS: readonly Column<VdeFigures>[] = [
  { figure: 'smallKpps', title: '64 octets, kpps', digits: 0 },
  { figure: 'tcpGbps', title: 'TCP, Gbit/s', digits: 2 },
  { figure: 'smallMicros', title: 'CPU us a small frame', digits: 2 },
]

/** Where a switch is plugged into, and its process. */
interface Target {
  directory: string
  pid: number
}

/** Frames a second that arrive, and processor seconds that each costs the switch. */
async function rate(
  machine: Namespace,
  { directory, pid }: Target,
  length: number,
): Promise<{ rate: number; cost: number }> {
  const load = (mode: string, number: number, seconds: number): string[] => [
    '--import',
    'tsx',
    LOAD,
    mode,
    directory,
    ...[length, number, seconds].map(String),
  ]
  const pairs = Array.from({ length: PAIRS }, (_, i) => i + 1)
  const receivers = pairs.map((number) => machine.spawn(process.execPath, load('receive', number, SECONDS)))
  for (const receiver of receivers) await receiver.line(/^ready/)
  const before = cpuSeconds(pid)
  const senders = pairs.map((number) => machine.spawn(process.execPath, load('send', number, SECONDS + 2)))
  const lines = await Promise.all(
    receivers.map((receiver) => receiver.line(/^received (\d+), (.*) a second/, { deadlineMs: 30_000 })),
  )
  const spent = cpuSeconds(pid) - before
  await Promise.all([...receivers, ...senders].map((running) => running.stop('SIGKILL')))
  const sum = (field: number): number => lines.reduce((total, line) => total + Number(line[field]), 0)
  return { rate: sum(2), cost: spent / sum(1) }
}

/** A host on a TAP that vde_plug makes and plugs in. */
async function host(lab: Lab, label: string, address: string, directory: string): Promise<Namespace> {
  const namespace = lab.namespace(label)
  namespace.spawn('vde_plug', ['tap://lab0', directory])
  await until('the TAP', () => namespace.ip('-o', 'link').includes('lab0'))
  namespace.ip('link', 'set', 'lab0', 'up')
  namespace.address('lab0', `${address}/24`)
  return namespace
}

async function tcp(lab: Lab, { directory }: Target): Promise<number> {
  const address = '10.99.0.2'
  const from = await host(lab, 'a', '10.99.0.1', directory)
  const to = await host(lab, 'b', address, directory)
  const way = { from, to, address, joining: [] }
  await startServer(way)
  await from.reaches(address, 15)
  await bulk(way, 'cubic', TCP_SECONDS) // warm-up
  return (await bulk(way, 'cubic', TCP_SECONDS)).gbps
}

const figuresOf =
  (start: (machine: Namespace, lab: Lab) => Promise<Target>) =>
  async (lab: Lab): Promise<VdeFigures> => {
    const machine = lab.namespace('h')
    const target = await start(machine, lab)
    await rate(machine, target, SMALL) // nothing counts before the code is warm
    const small = await rate(machine, target, SMALL)
    const tcpGbps = await tcp(lab, target)
    return {
      smallKpps: small.rate / 1000,
      tcpGbps,
      smallMicros: small.cost * 1e6,
    }
  }

async function vdeSwitch(machine: Namespace, lab: Lab): Promise<Target> {
  const directory = join(lab.directory, 'sw')
  const { pid } = machine.spawn('vde_switch', ['-s', directory])
  await until('vde_switch serves', () => existsSync(join(directory, 'ctl')))
  return { directory, pid }
}

async function hub(machine: Namespace, lab: Lab): Promise<Target> {
  const directory = join(lab.directory, 'v')
  const started = await Hub.start(machine, { address: '127.0.0.1', args: ['--vde', directory] })
  return { directory: join(directory, 'private0'), pid: pidOf(started, 'fabric') }
}

await main({
  name: 'vde',
  columns: COLUMNS,
  candidates: [
    { name: 'vde', title: 'vde_switch', measure: figuresOf(vdeSwitch) },
    { name: 'ours', title: 'hybridge', measure: figuresOf(hub) },
  ],
  rules: [
    { kind: 'bar', figure: 'smallKpps', of: 'ours', to: 'vde', least: 1 },
    { kind: 'bar', figure: 'tcpGbps', of: 'ours', to: 'vde', least: 1 },
  ],
  notes: [`Small frames: ${PAIRS} pairs of clients, one process each, on the cores that the switch runs on.`],
})
