/** What goes wrong during a run. Each fault is over, and put right, when its function resolves. */
import { setTimeout as pause } from 'node:timers/promises'
import { EXIT_TAKEN_OVER } from '#agent/exit-codes.ts'
import { startAgent } from '#test/support/agent.ts'
import { blackHole } from '#test/support/black-hole.ts'
import { killProcess, pidOf } from '#test/support/hub-processes.ts'
import type { HubProcess } from '#test/support/hub-processes.ts'
import type { Hub } from '#test/support/hub.ts'
import type { Namespace } from '#test/support/netns.ts'
import type { Running } from '#test/support/process.ts'
import type { SoakLab } from '#test/soak/lab.ts'
import type { Random } from '#test/soak/random.ts'
import type { Watch } from '#test/soak/watch.ts'

export interface Circumstances {
  machines: SoakLab
  hub: Hub
  watch: Watch
  random: Random
  /** Starts another agent for the site's LAN. */
  startAgent: () => ReturnType<typeof startAgent>
}

export interface Fault {
  /** For `--fault`. */
  id: string
  name: string
  /** From its end until traffic passes again, at most. */
  backMs?: number
  /** A process begins anew by it. */
  ends?: boolean
  inject: (circumstances: Circumstances) => Promise<void>
}

const GATEWAYS = ['gateway-1', 'gateway-2'] as const
const OFFLOADS = ['tx', 'tso', 'gso']
const NARROW_MS = 15_000
const SHORT_MS = [500, 3000] as const
const STALL_MS = [1000, 3000] as const
const WAN_DOWN_MS = [1000, 8000] as const
/** Longer than the hub waits for a word. */
const SLEEP_MS = [7000, 12_000] as const
const RECONNECTS = 50
const AWAY_MS = 30_000
/** From the path's return to traffic: 5 s, asserted at twice that. */
const RETURN_MS = 10_000

const aWhile = ({ random }: Circumstances, [least, most]: readonly [number, number]): Promise<void> =>
  pause(random.between(least, most))

const gateway = ({ random }: Circumstances): HubProcess => GATEWAYS[random.between(0, 2) < 1 ? 0 : 1]

const kill = async ({ hub, watch }: Circumstances, name: HubProcess): Promise<void> =>
  killProcess(watch.willEnd(pidOf(hub, name)))

async function killAgent({ watch, startAgent: start }: Circumstances): Promise<void> {
  watch.willEnd(watch.agent.pid)
  await watch.agent.stop('SIGKILL')
  watch.agent = await start()
}

/** The one that had the port ends with the exit code that says so. */
async function takeOver({ watch, startAgent: start }: Circumstances): Promise<void> {
  watch.willEnd(watch.agent.pid)
  const old = watch.agent
  watch.agent = await start()
  const { code } = await endOf(old)
  if (code !== EXIT_TAKEN_OVER) throw new Error(`the agent whose port was taken over ended with ${code}`)
}

async function endOf(agent: Running): Promise<{ code: number | null }> {
  const late = pause(10_000, undefined, { ref: false }).then(() => {
    throw new Error(`the agent whose port was taken over does not end (pid ${agent.pid})`)
  })
  return Promise.race([agent.exited, late])
}

async function stall(
  circumstances: Circumstances,
  pid: number,
  ms: readonly [number, number] = STALL_MS,
): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  await aWhile(circumstances, ms)
  process.kill(pid, 'SIGCONT')
}

/** An interface goes down and comes up. */
async function down(
  circumstances: Circumstances,
  at: Namespace,
  nic: string,
  ms: readonly [number, number] = SHORT_MS,
): Promise<void> {
  at.ip('link', 'set', nic, 'down')
  await aWhile(circumstances, ms)
  at.ip('link', 'set', nic, 'up')
}

async function narrow({ machines: { wan } }: Circumstances): Promise<void> {
  const nics = ['site', 'hub']
  const bucket = 'rate 10mbit burst 16kb latency 50ms'.split(' ')
  for (const nic of nics) wan.exec('tc', 'qdisc', 'add', 'dev', nic, 'root', 'tbf', ...bucket)
  await pause(NARROW_MS)
  for (const nic of nics) wan.exec('tc', 'qdisc', 'delete', 'dev', nic, 'root')
}

async function changeMtu(circumstances: Circumstances): Promise<void> {
  const { site } = circumstances.machines
  const { mtu } = site.state('lan')
  site.ip('link', 'set', 'lan', 'mtu', '1500')
  await aWhile(circumstances, SHORT_MS)
  site.ip('link', 'set', 'lan', 'mtu', String(mtu))
}

async function toggleOffloads(circumstances: Circumstances): Promise<void> {
  const { site } = circumstances.machines
  site.offloads('lan', 'off', OFFLOADS)
  await aWhile(circumstances, SHORT_MS)
  site.offloads('lan', 'on', OFFLOADS)
}

/** As a USB adapter that is pulled and plugged in again: it has its MAC address from the factory. */
async function replug(circumstances: Circumstances): Promise<void> {
  const { machines } = circumstances
  const { address } = machines.site.state('lan')
  machines.site.ip('link', 'delete', 'lan')
  await aWhile(circumstances, SHORT_MS)
  machines.plugSite(address)
}

/** All of it at once, as when its machine loses power. */
async function hubAway(circumstances: Circumstances): Promise<void> {
  const { hub } = circumstances
  for (const name of ['supervisor', 'control', ...GATEWAYS, 'fabric'] as const)
    await kill(circumstances, name)
  await hub.process.exited
  await pause(AWAY_MS)
  await hub.serve()
}

/** As by DHCP in another network. */
async function moveAgent({ machines: { site }, random }: Circumstances): Promise<void> {
  const [, before = ''] = /inet (\S+)/.exec(site.ip('-4', '-o', 'address', 'show', 'dev', 'wan')) ?? []
  site.ip('address', 'delete', before, 'dev', 'wan')
  site.address('wan', `10.98.0.${Math.floor(random.between(30, 250))}/24`)
}

async function swallow(circumstances: Circumstances): Promise<void> {
  const { site, hub } = circumstances.machines
  const fill = blackHole([site, hub])
  await aWhile(circumstances, SLEEP_MS)
  fill()
}

async function reconnectOften({ watch: { agent } }: Circumstances): Promise<void> {
  for (let i = 0; i < RECONNECTS; i++) {
    const from = agent.lines.length
    agent.child.kill('SIGHUP')
    await agent.line(/^\{"type":"connected"/, { from })
  }
}

export const FAULTS: readonly Fault[] = [
  { id: 'agent-killed', name: 'agent killed', ends: true, inject: killAgent },
  { id: 'gateway-killed', name: 'gateway killed', ends: true, inject: (c) => kill(c, gateway(c)) },
  { id: 'fabric-killed', name: 'fabric killed', ends: true, inject: (c) => kill(c, 'fabric') },
  { id: 'control-killed', name: 'control killed', ends: true, inject: (c) => kill(c, 'control') },
  {
    id: 'supervisor-killed',
    name: 'supervisor killed, another adopts',
    ends: true,
    inject: async (c) => {
      await kill(c, 'supervisor')
      await c.hub.process.exited
      await c.hub.serve()
    },
  },
  { id: 'hub-away', name: 'hub killed, and back after 30 s', ends: true, backMs: RETURN_MS, inject: hubAway },
  {
    id: 'taken-over',
    name: 'port taken over, and given back',
    ends: true,
    inject: async (c) => {
      await takeOver(c)
      await takeOver(c)
    },
  },
  {
    id: 'reconnect',
    name: 'agent told to reconnect',
    inject: async ({ watch }) => void watch.agent.child.kill('SIGHUP'),
  },
  { id: 'reconnect-often', name: `agent told to reconnect ${RECONNECTS} times`, inject: reconnectOften },
  { id: 'agent-sleeps', name: 'agent sleeps', inject: (c) => stall(c, c.watch.agent.pid, SLEEP_MS) },
  { id: 'address-changes', name: "agent's address changes", inject: moveAgent },
  { id: 'wan-swallows', name: 'WAN swallows everything', inject: swallow },
  { id: 'agent-stalls', name: 'agent stands still', inject: (c) => stall(c, c.watch.agent.pid) },
  { id: 'gateway-stalls', name: 'gateway stands still', inject: (c) => stall(c, pidOf(c.hub, gateway(c))) },
  { id: 'nic-down', name: "agent's NIC down", inject: (c) => down(c, c.machines.site, 'lan') },
  { id: 'nic-replugged', name: "agent's NIC deleted, and made again", inject: replug },
  { id: 'nic-mtu', name: "agent's NIC: MTU changed", inject: changeMtu },
  { id: 'nic-offloads', name: "agent's NIC: offloads off and on", inject: toggleOffloads },
  { id: 'hub-nic-down', name: "hub's NIC down", inject: (c) => down(c, c.machines.hub, 'lan') },
  { id: 'wan-down', name: 'WAN down', inject: (c) => down(c, c.machines.wan, 'hub', WAN_DOWN_MS) },
  { id: 'wan-narrow', name: 'WAN at 10 Mbit/s', inject: narrow },
]
