/**
 * Impaired links under real traffic. Wires of the kernel and of VDE lead to the same two hosts, so that Debian's
 * wirefilter and our links are measured in one run.
 *
 *   [a eth0 10.99.0.1]---[lan1  hub  lan2]---[10.99.0.2 eth0 b]
 *   [a vde0 10.97.0.1]---vde_switch---wirefilter---vde_switch---[10.97.0.2 vde0 b]
 */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CONTROL_SOCKET } from '#hub/base/data-directory.ts'
import { RpcClient } from '#net/base/rpc.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { type Finished, until } from '#test/support/process.ts'

const FAR = '10.99.0.2'
const FAR_BY_VDE = '10.97.0.2'
/** Port of the hub that leads to host `b`. */
const PORT = 2

let lab: Lab
let a: Namespace
let b: Namespace
let hub: Hub
let operator: RpcClient

beforeAll(async () => {
  lab = new Lab()
  a = lab.namespace('a')
  b = lab.namespace('b')
  const machine = lab.namespace('hub')
  lab.link(a, 'eth0', machine, 'lan1')
  lab.link(machine, 'lan2', b, 'eth0')
  a.address('eth0', '10.99.0.1/24')
  b.address('eth0', `${FAR}/24`)
  hub = await Hub.start(machine, { address: '127.0.0.1', attach: ['private0=nic:lan1', 'private0=nic:lan2'] })
  operator = new RpcClient(join(hub.data, CONTROL_SOCKET))
  await a.reaches(FAR)
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  await set({ impair: 'none', link: 'up' })
})
afterAll(() => {
  operator.close()
  lab.close()
})

/** As `hybridge bridge port set`, whose start would take most of the time. */
const set = (settings: Record<string, string>): Promise<unknown> =>
  operator.call('port.set', { bridge: 'private0', port: PORT, settings })

/** As `hybridge show ports --json` has it, of the impaired port. */
interface PortStatus {
  readonly up: boolean
  readonly settings: Record<string, string>
  readonly counters: {
    readonly outFrames: number
    readonly inDrops: Record<string, number>
    readonly outDrops: Record<string, number>
  }
}

async function shown(): Promise<PortStatus> {
  const { stdout } = await hub.command(['show', 'ports', 'private0', '--json'])
  const ports: PortStatus[] = JSON.parse(stdout)
  const port = ports[PORT - 1]
  if (!port) throw new Error(`no port ${PORT}: ${stdout}`)
  return port
}

/** A `hybridge bridge port` that fails. */
const refused = (...args: string[]): Promise<Finished> =>
  hub.command(['bridge', 'port', ...args], { check: false })

interface Pings {
  readonly sent: number
  readonly lost: number
  /** Milliseconds. */
  readonly times: number[]
}

/** Answers to the last requests may be missed: ping waits for as long as two others took. */
async function ping(address: string, count: number, intervalSeconds: number): Promise<Pings> {
  const args = ['-n', '-c', `${count}`, '-i', `${intervalSeconds}`, '-W', '1', address]
  const { stdout } = await a.run('ping', args, { check: false })
  const times = [...stdout.matchAll(/ time=([\d.]+) ms/g)].map((match) => Number(match[1]))
  return { sent: count, lost: count - times.length, times: times.sort((x, y) => x - y) }
}

const median = (sorted: readonly number[]): number => sorted[sorted.length >> 1] ?? NaN

/** Five standard deviations, of frames that are lost on either way with probability `p`. */
function expectLoss({ sent, lost }: Pings, p: number): void {
  const share = 1 - (1 - p) ** 2
  expect(Math.abs(lost - sent * share)).toBeLessThan(5 * Math.sqrt(sent * share * (1 - share)))
}

describe('an impaired link', () => {
  it('delays both ways, never by less than asked, and no more when it is cleared', async () => {
    await set({ impair: 'delay=20.5ms' })
    const { times } = await ping(FAR, 20, 0.02)
    expect(times[0]).toBeGreaterThanOrEqual(41)
    expect(median(times)).toBeLessThan(61)
    await set({ 'impair-in': 'none' })
    const { times: oneWay } = await ping(FAR, 20, 0.02)
    expect(oneWay[0]).toBeGreaterThanOrEqual(20.5)
    expect(median(oneWay)).toBeLessThan(40)
    await set({ impair: 'none' })
    expect(median((await ping(FAR, 20, 0.02)).times)).toBeLessThan(20.5)
    const { settings, counters } = await shown()
    expect([settings, counters.inDrops, counters.outDrops]).toEqual([{}, {}, {}])
  })

  it('loses all or nothing, as told, and counts it', async () => {
    await hub.command(['bridge', 'port', 'reset', 'private0', `${PORT}`])
    await hub.command(['bridge', 'port', 'set', 'private0', `${PORT}`, 'impair-out=loss=100%,seed=7'])
    expect((await ping(FAR, 5, 0.01)).lost).toBe(5)
    const { settings, counters } = await shown()
    expect(settings).toEqual({ 'impair-out': 'loss=100%,seed=7' })
    expect(counters.outDrops['loss']).toBeGreaterThanOrEqual(5)
    await set({ 'impair-out': 'loss=0%' })
    expect((await ping(FAR, 5, 0.01)).lost).toBeLessThan(5)
  })

  it('keeps a rate', async () => {
    await set({ 'impair-out': 'rate=8mbit,limit=100ms' })
    b.spawn('iperf3', ['-s', '-1', '-B', FAR])
    await b.listening(5201)
    const args = ['-c', FAR, '-u', '-b', '24M', '-l', '1400', '-t', '2', '-J', '--get-server-output']
    const { stdout } = await a.run('iperf3', args)
    const report: { end: { sum: { seconds: number; packets: number; lost_packets: number } } } =
      JSON.parse(stdout)
    const { seconds, packets, lost_packets: lost } = report.end.sum
    // Frames of 1442 octets; what fits in the queue comes after the end.
    const most = ((seconds + 0.1) * 8e6) / (1442 * 8) + 1
    expect(packets - lost).toBeLessThanOrEqual(most)
    expect(packets - lost).toBeGreaterThan(most / 2)
    expect((await shown()).counters.outDrops['rate']).toBeGreaterThan(0)
  })

  it('is down: nothing passes, the far carrier stays', async () => {
    await set({ link: 'down' })
    expect((await ping(FAR, 3, 0.01)).lost).toBe(3)
    expect((await shown()).up).toBe(false)
    expect(a.state('eth0').operstate).toBe('UP')
    expect(b.state('eth0').operstate).toBe('UP')
    await set({ link: 'up' })
    await a.reaches(FAR)
  })

  it('has the loss and the delay of wirefilter', async () => {
    // Both wires lead to b by an address of their own.
    const [left, right] = [join(lab.directory, 'left'), join(lab.directory, 'right')]
    for (const [machine, directory, address] of [
      [a, left, '10.97.0.1'],
      [b, right, FAR_BY_VDE],
    ] as const) {
      machine.spawn('vde_switch', ['-s', directory, '-x'])
      await until(
        `${directory} serves`,
        () => machine.exec('sh', '-c', `test -S ${directory}/ctl && echo y || true`) !== '',
      )
      machine.spawn('vde_plug2tap', ['-s', directory, 'vde0'])
      await until('vde0', () => machine.exec('sh', '-c', 'ip -br link show vde0 2>/dev/null || true') !== '')
      machine.address('vde0', `${address}/24`)
      machine.ip('link', 'set', 'vde0', 'up')
    }
    a.spawn('wirefilter', ['-v', `${left}:${right}`, '-l', '10', '-d', '10'])
    await a.reaches(FAR_BY_VDE)
    await set({ impair: 'delay=10ms,loss=10%' })
    const [theirs, ours] = await Promise.all([ping(FAR_BY_VDE, 600, 0.005), ping(FAR, 600, 0.005)])
    expectLoss(theirs, 0.1)
    expectLoss(ours, 0.1)
    expect(Math.abs(median(theirs.times) - median(ours.times))).toBeLessThan(10)
    expect(ours.times[0]).toBeGreaterThanOrEqual(20)
  })
})

describe('hybridge bridge port', () => {
  it('says what is wrong, and changes nothing then', async () => {
    expect(await refused('set', 'private0', `${PORT}`, 'link=down', 'impair=loss=5')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('impairment loss=5 is not valid: it takes a share like 1% or 0.01%'),
    })
    expect(await refused('reset', 'private0', '9')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('private0 has no port 9; ports: 1, 2'),
    })
  })
})
