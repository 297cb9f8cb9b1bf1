/** The Prometheus endpoint of a running hub: `hybridge serve --metrics`. */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { isRunning, killProcess, pidOf, statusOf } from '#test/support/hub-processes.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { HUB_COMMAND } from '#test/support/product.ts'
import { parsePrometheusText, type Sample, valueOf } from '#test/support/prometheus-text.ts'

const ADDRESS = '127.0.0.1:9464'

let lab: Lab
let machine: Namespace
let host: Namespace
let hub: Hub

beforeAll(async () => {
  lab = new Lab()
  machine = lab.namespace('hub')
  host = lab.namespace('host')
  lab.link(machine, 'lan', host, 'eth0')
  hub = await Hub.start(machine, {
    address: '127.0.0.1',
    attach: ['private0=nic:lan'],
    args: ['--metrics', ADDRESS],
  })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

/** What a scrape gets. */
async function scrape(): Promise<Sample[]> {
  const script = `fetch('http://${ADDRESS}/metrics').then((a) => a.text()).then((t) => process.stdout.write(t))`
  const { stdout } = await machine.run(process.execPath, ['-e', script])
  return parsePrometheusText(stdout)
}

describe('hybridge serve --metrics', () => {
  it('tells the counters that hybridge show ports tells', async () => {
    await sendFrames(host, 'eth0', [
      makeFrame({ length: 60 }),
      makeFrame({ length: 1514, tags: [[0x8100, 7]] }),
    ])
    const port = { bridge: 'private0', port: '1', name: 'nic:lan' }
    await expect
      .poll(async () => valueOf(await scrape(), 'hybridge_port_frames_total', { ...port, direction: 'in' }), {
        timeout: 10_000,
      })
      .toBe(2)
    const samples = await scrape()
    expect(valueOf(samples, 'hybridge_port_octets_total', { ...port, direction: 'in' })).toBe(1574)
    expect(valueOf(samples, 'hybridge_port_up', port)).toBe(1)
    expect(valueOf(samples, 'hybridge_bridge_addresses', { bridge: 'private0' })).toBe(2)
    expect(valueOf(samples, 'hybridge_vlan_octets_total', { vlan: '7', tpid: '8100' })).toBe(1514)
    expect(valueOf(samples, 'hybridge_fabric_up')).toBe(1)
    const manifest: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect(valueOf(samples, 'hybridge_build_info', { version: manifest.version })).toBe(1)
    expect(valueOf(samples, 'hybridge_process_resident_memory_bytes', { process: 'fabric' })).toBeGreaterThan(
      1e7,
    )
  })

  it('is a process that may nothing', async () => {
    const pid = pidOf(hub, 'metrics')
    const nobody = machine.exec('id', '-u', 'nobody').trim()
    expect(statusOf(pid, 'Uid').split(/\s+/)).toEqual([nobody, nobody, nobody, nobody])
    expect([statusOf(pid, 'CapEff'), statusOf(pid, 'CapPrm')]).toEqual([
      '0000000000000000',
      '0000000000000000',
    ])
    expect(statusOf(pid, 'NoNewPrivs')).toBe('1')
  })

  it('goes on without the fabric, and says that it is away', async () => {
    const fabric = pidOf(hub, 'fabric')
    process.kill(fabric, 'SIGSTOP')
    try {
      // An answer of the last half second may come first.
      await expect
        .poll(async () => valueOf(await scrape(), 'hybridge_fabric_up'), { timeout: 15_000 })
        .toBe(0)
    } finally {
      process.kill(fabric, 'SIGCONT')
    }
    await expect.poll(async () => valueOf(await scrape(), 'hybridge_fabric_up'), { timeout: 15_000 }).toBe(1)
  })

  it('is ended by a hub that is started again without it', async () => {
    const metrics = pidOf(hub, 'metrics')
    await killProcess(pidOf(hub, 'supervisor'))
    expect(isRunning(metrics)).toBe(true)
    const args = hub.arguments.slice(0, hub.arguments.indexOf('--metrics'))
    const again = machine.spawn(process.execPath, [HUB_COMMAND, ...args])
    await again.line(/^ready ssh=/, { deadlineMs: 15_000 })
    expect(isRunning(metrics)).toBe(false)
    await again.stop()
  })
})
