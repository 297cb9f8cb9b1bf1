/**
 * RSTP with Open vSwitch: a ring of two links, each bridge the root once.
 *
 *   [pc eth0]---[pc  hub  l1]---[l1  ovs  far]---[eth0 far]
 *   10.99.0.1   (fabric)  l2]---[l2  br0         10.99.0.2
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Capture } from '#test/support/capture.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { OpenVSwitch } from '#test/support/open-vswitch.ts'
import { Ping } from '#test/support/ping.ts'

const FAR_ADDRESS = '10.99.0.2'

let lab: Lab
let machine: Namespace
let pc: Namespace
let ovsMachine: Namespace
let hub: Hub

beforeAll(async () => {
  lab = new Lab()
  pc = lab.namespace('pc')
  machine = lab.namespace('hub')
  ovsMachine = lab.namespace('ovs')
  const far = lab.namespace('far')
  lab.link(pc, 'eth0', machine, 'pc')
  for (const nic of ['l1', 'l2']) lab.link(machine, nic, ovsMachine, nic)
  lab.link(ovsMachine, 'far', far, 'eth0')
  pc.address('eth0', '10.99.0.1/24')
  far.address('eth0', `${FAR_ADDRESS}/24`)
  const ovs = await OpenVSwitch.start(ovsMachine, ['l1', 'l2', 'far'])
  ovs.set('set', 'bridge', 'br0', 'rstp_enable=true', 'other_config:rstp-priority=32768')
  hub = await Hub.start(machine, {
    address: '127.0.0.1',
    bridges: ['v,rstp=on,priority=4096'],
    attach: ['l1', 'l2', 'pc'].map((nic) => `v=nic:${nic}`),
  })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

interface RstpStatus {
  bridgeId: string
  root: string
  ports: { role: string; state: string; rcvdBpdus: number; badBpdus: number }[]
}

async function ours(): Promise<RstpStatus> {
  const { stdout } = await hub.command(['show', 'rstp', 'v', '--json'])
  const [status]: RstpStatus[] = JSON.parse(stdout)
  if (!status) throw new Error('no bridge')
  return status
}

/** Roles and states of our two links. */
const links = async (): Promise<string> =>
  (await ours()).ports
    .slice(0, 2)
    .map(({ role, state }) => `${role} ${state}`)
    .sort()
    .join(', ')

/** Those of the other bridge, as it shows them. */
async function theirs(): Promise<string> {
  const directory = readdirSync(lab.directory).find((name) => name.startsWith('ovs-')) ?? ''
  const control = join(lab.directory, directory, 'switch.ctl')
  const { stdout: shown } = await ovsMachine.run('ovs-appctl', ['-t', control, 'rstp/show', 'br0'])
  const rows = [...shown.matchAll(/^\s*l[12]\s+(\w+)\s+(\w+)/gm)]
  return rows
    .map(([, role = '', state = '']) => `${role} ${state}`.toLowerCase())
    .sort()
    .join(', ')
}

async function expectSoon(what: () => Promise<string>, wanted: string): Promise<void> {
  await expect.poll(what, { timeout: 40_000, interval: 200 }).toBe(wanted)
}

describe('RSTP with Open vSwitch', () => {
  it('agrees when ours is the root: it blocks one of its ports', async () => {
    await expectSoon(links, 'designated forwarding, designated forwarding')
    await expectSoon(theirs, 'alternate discarding, root forwarding')
    await pc.reaches(FAR_ADDRESS)
  })

  it('follows when the other one becomes the root, and ours blocks a port', async () => {
    const capture = await Capture.start(ovsMachine, 'l1', { filter: 'stp' })
    await hub.command(['bridge', 'set', 'v', 'priority=61440'])
    await expectSoon(links, 'alternate discarding, root forwarding')
    await expectSoon(theirs, 'designated forwarding, designated forwarding')
    const { root, bridgeId, ports } = await ours()
    expect(root).not.toBe(bridgeId)
    expect(ports.map(({ badBpdus }) => badBpdus)).toEqual([0, 0, 0])
    await pc.reaches(FAR_ADDRESS)
    await capture.stop()
    const fields = ['_ws.malformed', 'stp.version', 'stp.type', 'stp.bridge.hw', 'eth.padding']
    const tshark = ['-r', capture.file, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])]
    const { stdout } = await ovsMachine.run('tshark', [
      ...tshark,
      '-Y',
      `stp.bridge.hw == ${bridgeId.slice(6)}`,
    ])
    const lines = stdout.trimEnd().split('\n')
    expect(lines.length).toBeGreaterThan(1)
    for (const line of lines) expect(line).toMatch(/^\t2\t0x02\t[0-9a-f:]{17}\t0+$/)
  })

  it('goes over to the other link within seconds when the one in use goes', async () => {
    const ping = await Ping.start(pc, FAR_ADDRESS)
    const inUse = (await ours()).ports.findIndex(({ role }) => role === 'root') === 0 ? 'l1' : 'l2'
    const started = performance.now()
    ovsMachine.ip('link', 'set', inUse, 'down')
    await ping.answered()
    const awayMs = performance.now() - started
    ping.stop()
    console.info(`${inUse} went, and frames went by the other one after ${Math.round(awayMs)} ms`)
    expect(awayMs).toBeLessThan(4000)
    await expectSoon(links, 'disabled discarding, root forwarding')
  })
})
