/**
 * A TAP of the hub's machine on the bridge: the hub's own kernel is a host there.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  tap lab0]   [far]
 *    10.99.0.1      hconnect           (bridge)           10.99.0.3
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { buildSite, HUB_ADDRESS, PC_ADDRESS, type Site } from '#test/support/site.ts'
import { transfer } from '#test/support/transfer.ts'

const TAP_ADDRESS = '10.99.0.3'

let lab: Lab
let site: Site
let hub: Hub

beforeAll(async () => {
  lab = new Lab()
  site = buildSite(lab)
  hub = await Hub.start(site.hub, { address: HUB_ADDRESS, attach: ['private0=tap:lab0'] })
  site.hub.address('lab0', `${TAP_ADDRESS}/24`)
  await startAgent(site.site, { hub, nic: 'lan', interval: 5 })
  await site.pc.reaches(TAP_ADDRESS)
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

describe('a TAP on a bridge', () => {
  it.for(['tcp', 'udp', 'udp-segments'] as const)('carries %s both ways, offloads on', async (kind) => {
    const octets = kind === 'udp' ? 200_000 : 2_000_000
    // `transfer` rejects unless every octet has arrived unaltered.
    const there = transfer({ kind, from: site.pc, to: site.hub, address: TAP_ADDRESS, octets })
    await expect(there).resolves.toBeGreaterThan(0)
    const back = transfer({ kind, from: site.hub, to: site.pc, address: PC_ADDRESS, octets })
    await expect(back).resolves.toBeGreaterThan(0)
  })

  it('takes frames of 9216 octets', () => {
    expect(site.hub.state('lab0').mtu).toBe(9216)
  })

  it('goes down and comes back', async () => {
    site.hub.ip('link', 'set', 'lab0', 'down')
    await expect.poll(shown, { timeout: 5000 }).toMatch(/tap:lab0 +down/)
    site.hub.ip('link', 'set', 'lab0', 'up')
    await site.pc.reaches(TAP_ADDRESS)
  })

  it('goes with the hub', async () => {
    await hub.stop()
    expect(site.hub.exec('ip', '-o', 'link')).not.toContain('lab0')
  })
})

async function shown(): Promise<string> {
  const { stdout } = await hub.command(['show', 'ports'])
  return stdout
}
