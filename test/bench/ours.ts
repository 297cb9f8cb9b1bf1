/** The product in the places of its peers. */
import { buildPair, CIPHER } from '#test/bench/peers.ts'
import type { Way } from '#test/bench/measure.ts'
import { startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import type { Lab } from '#test/support/netns.ts'
import { FAR_ADDRESS, HUB_ADDRESS, buildSite } from '#test/support/site.ts'

/** One hub, two network cards on one of its switches. */
export async function ourSwitch(lab: Lab): Promise<Way> {
  const way = buildPair(lab)
  way.machine.address('lo', `${HUB_ADDRESS}/32`)
  await Hub.start(way.machine, {
    address: HUB_ADDRESS,
    attach: ['private0=nic:a0', 'private0=nic:b0'],
  })
  return way
}

/** Hub and agent with their defaults. */
export async function ourTunnel(lab: Lab): Promise<Way> {
  const { pc, site, hub: machine, far } = buildSite(lab)
  const hub = await Hub.start(machine, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
  await startAgent(site, { hub, nic: 'lan', interval: 10 })
  return { from: pc, to: far, address: FAR_ADDRESS, joining: [site, machine] }
}

export const cipherNote = `SSH cipher: ${CIPHER}, told to the peers, and what hybridge agrees on by itself.`
