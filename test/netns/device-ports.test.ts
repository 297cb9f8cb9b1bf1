/**
 * Devices of topologies on their bridges.
 *
 *   one:  [h1 em0]---(lan)---[em0 h2]     h1's em1 is not connected
 *   two:  [h1 em0]---(lan)---[em0 h2]
 */
import { readdirSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { killProcess } from '#test/support/hub-processes.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, linkOf } from '#test/support/netns.ts'
import { Ping } from '#test/support/ping.ts'
import { until } from '#test/support/process.ts'
import { type Device, RunningTopology } from '#test/support/topology.ts'

const FILE = `#include "common.defs"
config "pair" {
  vm "h1" { CENTOS_5_3 interface "em0" { bridge "lan"; }; interface "em1" { bridge "dead"; }; };
  vm "h2" { CENTOS_5_3 interface "em0" { bridge "lan"; }; };
};
`
const ADDRESSES = { 1: '10.9.0.1', 2: '10.9.0.2' } as const
/** Twice what a killed process of a topology may take to come back. */
const BACK_MS = 6000

let lab: Lab
let hub: Hub
let one: RunningTopology
let two: RunningTopology

async function addressed(topology: RunningTopology, number: 1 | 2): Promise<Device> {
  const device = await topology.device(number)
  device.exec('ip', 'address', 'add', `${ADDRESSES[number]}/24`, 'dev', 'em0')
  return device
}

/** How many descriptors of TAP interfaces a process has. */
const tapsOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/fd`).filter((fd) => linkOf(`/proc/${pid}/fd/${fd}`).endsWith('/tun')).length

const carrier = (device: Device, nic: string): boolean =>
  device.exec('ip', '-br', 'link', 'show', 'dev', nic).includes('LOWER_UP')

beforeAll(async () => {
  lab = new Lab()
  hub = await Hub.start(lab.namespace('hub'), { address: '127.0.0.1' })
  const start = (name: string): Promise<RunningTopology> => RunningTopology.start(hub, name, FILE)
  ;[one, two] = await Promise.all([start('one'), start('two')])
  for (const topology of [one, two]) for (const number of [1, 2] as const) await addressed(topology, number)
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

describe('an interface of a device', () => {
  it('is a port of its bridge', async () => {
    const h1 = await one.device(1)
    await h1.reaches(ADDRESSES[2])
    const ports = await one.ports()
    expect(
      ports.map(({ bridge, number, name, description, up }) => [bridge, number, name, description, up]),
    ).toEqual([
      ['one/lan', 1, 'h1:em0', 'h1:em0', true],
      ['one/lan', 2, 'h2:em0', 'h2:em0', true],
    ])
    expect(ports.map(({ addresses }) => addresses)).toEqual([1, 1])
    expect(h1.exec('ip', '-br', 'link', 'show', 'dev', 'em1')).toContain('NO-CARRIER')
  })

  it('has no carrier while its port is set down', async () => {
    const h2 = await one.device(2)
    await one.setPort('h2:em0', { link: 'down' })
    expect(carrier(h2, 'em0')).toBe(false)
    await one.setPort('h2:em0', { link: 'up' })
    await until('carrier', () => carrier(h2, 'em0'))
    await h2.reaches(ADDRESSES[1])
  })

  it('is down in the switch while it is down in the device, and takes frames as its MTU says', async () => {
    const [h1, h2] = await Promise.all([one.device(1), one.device(2)])
    h2.exec('ip', 'link', 'set', 'em0', 'down')
    await until('down', async () => !(await one.port('h2:em0')).up)
    h2.exec('ip', 'link', 'set', 'em0', 'up')
    h1.exec('ip', 'link', 'set', 'em0', 'mtu', '9000')
    await until('longer', async () => (await one.port('h1:em0')).maxFrame > 9000)
    await until('up', async () => (await one.port('h2:em0')).up)
    const before = (await one.port('h2:em0')).counters.outDrops['too-big'] ?? 0
    const args = ['-c', '1', '-w', '1', '-M', 'do', '-s', '8000', ADDRESSES[2]]
    expect((await h1.run('ping', args, { check: false })).code).toBe(1)
    expect((await one.port('h2:em0')).counters.outDrops['too-big']).toBe(before + 1)
    h2.exec('ip', 'link', 'set', 'em0', 'mtu', '9000')
    await until('longer', async () => (await one.port('h2:em0')).maxFrame > 9000)
    await h1.run('ping', args)
  })
})

/** Lets reads from the interfaces of a device wait, as its process could that shares them with the fabric. */
const LET_WAIT = `
import ctypes, fcntl, os, sys
pid, pidfd_getfd = sys.argv[1], 438
own = os.pidfd_open(int(pid))
for name in os.listdir(f"/proc/{pid}/fd"):
    if os.readlink(f"/proc/{pid}/fd/{name}").endswith("/tun"):
        fd = ctypes.CDLL(None).syscall(pidfd_getfd, own, int(name), 0)
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) & ~os.O_NONBLOCK)
        assert os.get_blocking(fd)
`

describe('a process of a device that was taken over', () => {
  it('cannot keep the fabric waiting', async () => {
    const [h1, h2] = await Promise.all([one.device(1), one.device(2)])
    await hub.namespace.run('/usr/bin/python3', ['-c', LET_WAIT, String(h2.pid)])
    const ping = await Ping.start(h1, ADDRESSES[2])
    await ping.answered()
    expect((await one.port('h2:em0')).up).toBe(true)
    ping.stop()
  })
})

describe('when a process of a topology is killed', () => {
  it('the forwarding process comes back with the same ports, and other topologies do not notice', async () => {
    const [h1, other] = await Promise.all([one.device(1), two.device(1)])
    const [ping, otherPing] = [await Ping.start(h1, ADDRESSES[2]), await Ping.start(other, ADDRESSES[2])]
    await killProcess(await one.fabricPid())
    await ping.answered(BACK_MS)
    expect(await otherPing.lost()).toEqual([])
    expect((await one.ports()).map(({ description, up }) => [description, up])).toEqual([
      ['h1:em0', true],
      ['h2:em0', true],
    ])
    for (const each of [ping, otherPing]) each.stop()
  })

  it('a device comes back as the same port, which keeps its counters', async () => {
    const [h1, h2] = await Promise.all([one.device(1), one.device(2)])
    const before = (await one.port('h2:em0')).counters.inFrames
    expect(before).toBeGreaterThan(0)
    await killProcess(h2.pid)
    await until('down', async () => !(await one.port('h2:em0')).up)
    const kept = (await one.port('h2:em0')).counters.inFrames
    expect(kept).toBeGreaterThanOrEqual(before)
    await until('up', async () => (await one.port('h2:em0')).up, BACK_MS)
    await addressed(one, 2)
    await h1.reaches(ADDRESSES[2])
    expect((await one.port('h2:em0')).counters.inFrames).toBeGreaterThan(kept)
  })

  it('and no descriptor is lost', async () => {
    const fabric = await two.fabricPid()
    for (let i = 0; i < 2; i++) await two.reset('h2')
    await until('up', async () => (await two.port('h2:em0')).up)
    expect(tapsOf(fabric)).toBe(2)
    const h2 = await two.device(2)
    h2.exec('ip', 'link', 'delete', 'em0')
    await until('down', async () => !(await two.port('h2:em0')).up)
    await two.reset('h2')
    await addressed(two, 2)
    await (await two.device(1)).reaches(ADDRESSES[2])
    expect(tapsOf(fabric)).toBe(2)
  })
})
