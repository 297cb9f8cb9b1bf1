/**
 * RSTP with a bridge that speaks STP only, the kernel's: a ring of two links.
 *
 *   [pc eth0]---[pc  hub  l1]---[l1  kernel  far]---[eth0 far]
 *   10.99.0.1   (fabric)  l2]---[l2   br0           10.99.0.2
 */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'

const FAR_ADDRESS = '10.99.0.2'
const NICS = ['l1', 'l2']

interface RstpStatus {
  root: string
  bridgeId: string
  ports: { rstp: boolean; state: string }[]
}

let lab: Lab
let machine: Namespace
let kernel: Namespace
let pc: Namespace

beforeEach(() => {
  lab = new Lab()
  pc = lab.namespace('pc')
  machine = lab.namespace('hub')
  kernel = lab.namespace('kernel')
  const far = lab.namespace('far')
  lab.link(pc, 'eth0', machine, 'pc')
  for (const nic of NICS) lab.link(machine, nic, kernel, nic)
  lab.link(kernel, 'far', far, 'eth0')
  pc.address('eth0', '10.99.0.1/24')
  far.address('eth0', `${FAR_ADDRESS}/24`)
  // Hundredths of a second.
  const times = ['hello_time', '200', 'max_age', '600', 'forward_delay', '400']
  kernel.ip('link', 'add', 'br0', 'type', 'bridge', 'stp_state', '1', 'mcast_snooping', '0', ...times)
  for (const nic of [...NICS, 'far']) kernel.ip('link', 'set', nic, 'master', 'br0')
  kernel.ip('link', 'set', 'br0', 'up')
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  lab.close()
})

/** States of the kernel's ports: the ends of the ring, and the host's. */
const theirs = (): string[] =>
  [...NICS, 'far']
    .map((nic) => /state (\w+)/.exec(kernel.exec('bridge', 'link', 'show', 'dev', nic))?.[1] ?? '')
    .sort((a, b) => a.localeCompare(b))

it('is spoken to in STP, and blocks one of its ports', async () => {
  const hub = await Hub.start(machine, {
    address: '127.0.0.1',
    bridges: ['v,rstp=on,priority=4096,max-age=6,forward-delay=4'],
    attach: [...NICS, 'pc'].map((nic) => `v=nic:${nic}`),
  })
  const ours = async (): Promise<RstpStatus> => {
    const { stdout } = await hub.command(['show', 'rstp', 'v', '--json'])
    const [status]: RstpStatus[] = JSON.parse(stdout)
    if (!status) throw new Error('no bridge')
    return status
  }
  await expect
    .poll(theirs, { timeout: 40_000, interval: 200 })
    .toEqual(['blocking', 'forwarding', 'forwarding'])
  await expect
    .poll(async () => (await ours()).ports.map(({ state }) => state), { timeout: 20_000, interval: 300 })
    .toEqual(Array(3).fill('forwarding'))
  const { root, bridgeId, ports } = await ours()
  expect(root).toBe(bridgeId)
  expect(ports.map(({ rstp }) => rstp)).toEqual([false, false, true])
  await pc.reaches(FAR_ADDRESS)
})
