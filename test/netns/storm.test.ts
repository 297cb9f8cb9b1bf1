/**
 * One user opens and leaves a hundred tunnels in every way there is, while the far host floods the bridge. The hub's
 * processes give the memory back.
 *
 *   [stranger eth0]---[wan  hub  lan]---[eth0 far]
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { byeRecord } from '#net/tunnel/bye.ts'
import { hubLog, hubProcesses, pidOf, residentOf, type HubProcess } from '#test/support/hub-processes.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { until } from '#test/support/process.ts'
import { FAR_ADDRESS, HUB_ADDRESS } from '#test/support/site.ts'
import { frameRecord, sshLogin, TunnelPeer } from '#test/support/ssh-peer.ts'
import { makeFrame } from '#test/support/frames.ts'

const ROUNDS = 10
const TUNNELS = 10
const PROCESSES = ['gateway-1', 'gateway-2', 'fabric'] as const

/** Datagrams to an address that no port has: every tunnel gets them. 4 MB/s. */
const FLOOD = `
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    for _ in range(30): s.sendto(bytes(1400), ('10.99.0.9', 9))
    time.sleep(0.01)
`

let lab: Lab
let stranger: Namespace
let hub: Hub

beforeAll(async () => {
  lab = new Lab()
  stranger = lab.namespace('stranger')
  const machine = lab.namespace('hub')
  const far = lab.namespace('far')
  lab.link(stranger, 'eth0', machine, 'wan')
  lab.link(machine, 'lan', far, 'eth0')
  stranger.address('eth0', '10.98.0.1/24')
  machine.address('wan', `${HUB_ADDRESS}/24`)
  far.address('eth0', `${FAR_ADDRESS}/24`)
  far.ip('neighbour', 'add', '10.99.0.9', 'lladdr', '02:00:00:00:00:99', 'dev', 'eth0', 'nud', 'permanent')
  hub = await Hub.start(machine, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
  far.spawn('python3', ['-c', FLOOD])
})
afterAll(() => lab.close())

const sizeOf = (map: string, field: string): number =>
  Number(new RegExp(`^${field}: +(\\d+) kB$`, 'm').exec(map)?.[1]) * 1024

/** Octets that lie in the range of frame memory (net/port/frame-memory.ts), the one large map that can be written to. */
function frameMemory(pid: number): number {
  const maps = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
  const range = maps.find((map) => / rw-p /.test(map) && sizeOf(map, 'Size') >= 1 << 30)
  return range === undefined ? 0 : sizeOf(range, 'Rss')
}

type Figures = Record<(typeof PROCESSES)[number], number>

const measure = (what: (pid: number) => number): Figures => ({
  'gateway-1': what(pidOf(hub, 'gateway-1')),
  'gateway-2': what(pidOf(hub, 'gateway-2')),
  fabric: what(pidOf(hub, 'fabric')),
})

/** Ways to leave, some in the middle of a frame. */
const LEAVE: readonly ((peer: TunnelPeer) => void)[] = [
  (peer) => peer.channel.write(byeRecord('leave', 'that is all')),
  (peer) => peer.channel.close(),
  (peer) => peer.channel.end(frameRecord(makeFrame({ length: 500 })).subarray(0, 100)),
  (peer) => peer.channel.write(Buffer.alloc(1000)),
  () => {}, // with the connection
]

/** What was in use while tunnels were open. */
const most = new Map<HubProcess, number>()

/** @param latencyControl  which the first tunnel of a connection decides for all of them */
async function round(latencyControl: boolean): Promise<void> {
  const client = await sshLogin(stranger, hub)
  client.on('error', () => {})
  const peers = await Promise.all(
    Array.from({ length: TUNNELS }, async (_, i) => {
      const peer = await TunnelPeer.open(client)
      await peer.greet({ key: `storm-${i}`, latencyControl, superFrames: i % 2 === 0 })
      // Half of them do not read, until their window is used up.
      if (i >= TUNNELS / 2) peer.channel.pause()
      return peer
    }),
  )
  await pause(1000)
  for (const name of PROCESSES) most.set(name, Math.max(most.get(name) ?? 0, frameMemory(pidOf(hub, name))))
  for (const [i, peer] of peers.entries()) LEAVE[i % LEAVE.length]?.(peer)
  await pause(50)
  client.destroy()
}

const show = (octets: number): string => `${(octets / 1024 / 1024).toFixed(1)} MiB`

it('leaves no memory behind', async () => {
  const before = hubProcesses(hub)
  await round(true) // from which on each process has some
  await pause(500)
  const frames = measure(frameMemory)
  for (let i = 0; i < ROUNDS / 2; i++) await round(i % 3 > 0)
  const half = measure(residentOf)
  for (let i = 0; i < ROUNDS / 2; i++) await round(i % 3 > 0)
  await pause(500)
  const story = (): string =>
    PROCESSES.map((name) => {
      const pid = pidOf(hub, name)
      return `${name}: frames ${show(frames[name])}, ${show(most.get(name) ?? 0)}, ${show(frameMemory(pid))}, resident ${show(half[name])} to ${show(residentOf(pid))}`
    }).join('\n')
  await until('frame memory is back', () =>
    PROCESSES.every((name) => frameMemory(pidOf(hub, name)) <= frames[name] + (1 << 20)),
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${story()}`)
  })
  console.info(story())
  for (const name of PROCESSES) {
    expect(most.get(name)).toBeGreaterThan(frames[name])
    expect(residentOf(pidOf(hub, name)) - half[name]).toBeLessThan(60 << 20)
  }
  expect(hubProcesses(hub)).toEqual(before)
  expect(hub.process.stderr).not.toContain('Warning')
  expect(hubLog(hub).filter(({ level }) => level >= 50)).toEqual([])
})
