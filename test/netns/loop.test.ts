/**
 * A loop through the hub's bridge: two of its interfaces lead to one kernel bridge, which lets BPDUs through.
 *
 *                 +--[lan1  hub  pc ]---[eth0 pc]   10.99.0.1
 *   [loop br0]----|        (fabric)
 *                 +--[lan2       far]---[eth0 far]  10.99.0.2
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import { hubLog, type LogLine } from '#test/support/hub-processes.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { until } from '#test/support/process.ts'

const FAR_ADDRESS = '10.99.0.2'
const ATTACH = ['lan1', 'lan2', 'pc', 'far'].map((nic) => `v=nic:${nic}`)

let lab: Lab
let loop: Namespace
let machine: Namespace
let pc: Namespace
let far: Namespace

beforeEach(() => {
  lab = new Lab()
  loop = lab.namespace('loop')
  machine = lab.namespace('hub')
  pc = lab.namespace('pc')
  far = lab.namespace('far')
  for (const nic of ['lan1', 'lan2']) lab.link(loop, nic, machine, nic)
  lab.link(machine, 'pc', pc, 'eth0')
  lab.link(machine, 'far', far, 'eth0')
  pc.address('eth0', '10.99.0.1/24')
  far.address('eth0', `${FAR_ADDRESS}/24`)
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  lab.close()
})

const startHub = (settings: string): Promise<Hub> =>
  Hub.start(machine, { address: '127.0.0.1', bridges: [`v${settings}`], attach: ATTACH })

const loopLines = (hub: Hub): LogLine[] =>
  hubLog(hub).filter(({ msg }) => msg.includes('a loop leads through'))
const received = (): number => loop.state('lan1').stats64.rx.packets + loop.state('lan2').stats64.rx.packets

interface PortStatus {
  number: number
  loop: { port: number } | null
  counters: { inDrops: Record<string, number> }
}
interface RstpStatus {
  ports: { role: string; state: string }[]
}
const ports = async (hub: Hub): Promise<PortStatus[]> =>
  JSON.parse((await hub.command(['show', 'ports', 'v', '--json'])).stdout)

describe('a loop', () => {
  it('is opened before it is a storm, told with both ports, and leaves the others working', async () => {
    const hub = await startHub('')
    loop.bridge('br0', ['lan1', 'lan2'])
    const started = performance.now()
    await sendFrames(pc, 'eth0', [makeFrame({ length: 60 })])
    const [line] = await until('the loop is told', () => loopLines(hub).length > 0 && loopLines(hub))
    const tookMs = performance.now() - started
    expect(line?.msg).toMatch(/through port [12] \(nic:lan[12]\) and port [12] \(nic:lan[12]\)/)
    expect(tookMs).toBeLessThan(2000)
    // The frames that go round are counted in tens, not in the hundred thousands of a second's storm.
    const atEnd = received()
    expect(atEnd).toBeLessThan(2000)
    await pc.reaches(FAR_ADDRESS)
    const status = await ports(hub)
    const shut = status.filter((port) => port.loop !== null)
    expect(shut.map(({ number, loop: found }) => number + (found?.port ?? 0))).toEqual([1 + 2])
    expect((await hub.command(['show', 'ports', 'v'])).stdout).toMatch(/shut for 5 s: a loop with port [12]/)
    console.info(`told ${Math.round(tookMs)} ms after the frame, ${atEnd} frames went into the loop`)
    // It opens the port by itself, and shuts it again as the loop is still there.
    await hub.process.line(/is open again/, { deadlineMs: 15_000 })
    await sendFrames(pc, 'eth0', [makeFrame({ length: 60, seed: 1 })])
    await until('it is told again', () => loopLines(hub).length > 1)
    expect(loopLines(hub)[1]?.msg).toContain('is shut for 10 s')
    await pc.reaches(FAR_ADDRESS)
  })

  it('is none with rstp=on: one way into it is kept closed', async () => {
    loop.bridge('br0', ['lan1', 'lan2'])
    const hub = await startHub(',rstp=on,max-age=6,forward-delay=4')
    const tree = async (): Promise<RstpStatus> => {
      const { stdout } = await hub.command(['show', 'rstp', 'v', '--json'])
      const [status]: RstpStatus[] = JSON.parse(stdout)
      if (!status) throw new Error('no bridge')
      return status
    }
    // An edge is known after 3 s of silence.
    await expect
      .poll(async () => (await tree()).ports.map(({ state }) => state), { timeout: 40_000, interval: 300 })
      .toEqual(['forwarding', 'discarding', 'forwarding', 'forwarding'])
    expect((await tree()).ports.map(({ role }) => role)).toEqual([
      'designated',
      'backup',
      'designated',
      'designated',
    ])
    const before = received()
    await sendFrames(pc, 'eth0', [makeFrame({ length: 60 })])
    await pc.reaches(FAR_ADDRESS)
    expect(received() - before).toBeLessThan(50)
    expect(loopLines(hub)).toEqual([])
    expect((await hub.command(['show', 'rstp'])).stdout).toMatch(/ 2 +backup +discarding/)
  })
})
