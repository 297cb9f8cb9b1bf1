/**
 * TCP and UDP arrive unaltered whatever the network cards leave to each other: segmentation and checksums.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *                  hconnect           (bridge)           hybridge
 *
 * Tagged, by switches of ours in a further machine, as both hosts know nothing of VLANs:
 *
 *   [pc eth0]---[pc  switches  site]---[lan  site  ...  hub  lan]---[hub  switches  far]---[eth0 far]
 *             access 10    trunk          hconnect  hybridge         trunk     access 10
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startAgent } from '#test/support/agent.ts'
import { Capture } from '#test/support/capture.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { FAR_ADDRESS, HUB_ADDRESS, PC_ADDRESS, buildSite, type Site } from '#test/support/site.ts'
import { outerVids, superFrames } from '#test/support/super-frames.ts'
import { transfer, type TransferKind } from '#test/support/transfer.ts'

const PC_ADDRESS_6 = 'fd99::1'
const FAR_ADDRESS_6 = 'fd99::2'
const OCTETS: Record<TransferKind, number> = { tcp: 4_000_000, udp: 200_000, 'udp-segments': 1_000_000 }
const SEND = ['tx', 'rx', 'sg', 'tso', 'gso', 'tx-udp-segmentation']
/** The hosts do not merge what they receive: a super-frame that they see has come as one. */
const ALL = [...SEND, 'gro', 'rx-udp-gro-forwarding']
const EVERY_KIND = ['tcp4', 'tcp6', 'udp4', 'udp6']
const HEAD = { snap: 128 }

let lab: Lab
let site: Site

beforeEach(() => {
  lab = new Lab()
  site = buildSite(lab)
  site.pc.address('eth0', `${PC_ADDRESS_6}/64`)
  site.far.address('eth0', `${FAR_ADDRESS_6}/64`)
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  lab.close()
})

function setOffloads(state: 'on' | 'off'): void {
  for (const host of [site.pc, site.far]) host.offloads('eth0', state, SEND)
  for (const machine of [site.site, site.hub]) machine.offloads('lan', state, ALL)
}

/** Starts hub and agent and waits until every way is open. */
async function join(): Promise<void> {
  const hub = await Hub.start(site.hub, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
  await startAgent(site.site, { hub, nic: 'lan', interval: 0.2 })
  await site.pc.reaches(FAR_ADDRESS)
  await site.pc.reaches(FAR_ADDRESS_6)
}

/** Each kind of transfer, over IPv4 and IPv6, both ways. */
async function transferAll(): Promise<void> {
  const { pc, far } = site
  for (const kind of ['tcp', 'udp', 'udp-segments'] as const) {
    const octets = OCTETS[kind]
    await transfer({ kind, from: pc, to: far, address: FAR_ADDRESS, octets })
    await transfer({ kind, from: pc, to: far, address: FAR_ADDRESS_6, octets })
    await transfer({ kind, from: far, to: pc, address: PC_ADDRESS, octets })
    await transfer({ kind, from: far, to: pc, address: PC_ADDRESS_6, octets })
  }
}

describe('TCP and UDP through the tunnel', () => {
  it('pass with the offloads of every card on, as super-frames from end to end', async () => {
    setOffloads('on')
    await join()
    const atPc = await Capture.start(site.pc, 'eth0', HEAD)
    const atFar = await Capture.start(site.far, 'eth0', HEAD)
    await transferAll()
    await atPc.stop()
    await atFar.stop()
    const macs = { pc: site.pc.state('eth0').address, far: site.far.state('eth0').address }
    expect(superFrames(atFar, macs.pc)).toEqual(EVERY_KIND)
    expect(superFrames(atPc, macs.far)).toEqual(EVERY_KIND)
  })

  it('pass with every offload off', async () => {
    setOffloads('off')
    await join()
    const atPc = await Capture.start(site.pc, 'eth0', HEAD)
    await transferAll()
    await atPc.stop()
    expect(superFrames(atPc, site.pc.state('eth0').address)).toEqual([])
    expect(superFrames(atPc, site.far.state('eth0').address)).toEqual([])
  })

  it.each([
    ['site', 'hub'],
    ['hub', 'site'],
  ] as const)('pass when the card of the %s does all and that of the %s nothing', async (able, plain) => {
    setOffloads('on')
    site[plain].offloads('lan', 'off', ALL)
    site[plain === 'hub' ? 'far' : 'pc'].offloads('eth0', 'off', SEND)
    await join()
    await transferAll()
    expect(site[able].state('lan').promiscuity).toBe(1)
  })
})

describe('Tagged TCP and UDP through the tunnel', () => {
  it('pass with all offloads on, as super-frames that a switch of ours tags and another one untags', async () => {
    const switches = putSwitchesBetween()
    setOffloads('on')
    await Hub.start(switches, {
      address: '127.0.0.1',
      bridges: ['site', 'far'],
      attach: [
        'site=nic:pc,mode=access,vlan=10',
        'site=nic:site,mode=trunk,tagged=10',
        'far=nic:hub,mode=trunk,tagged=10',
        'far=nic:far,mode=access,vlan=10',
      ],
    })
    await join()
    const between = [await Capture.start(site.site, 'lan', HEAD), await Capture.start(site.hub, 'lan', HEAD)]
    const atPc = await Capture.start(site.pc, 'eth0', HEAD)
    await transferAll()
    for (const capture of [...between, atPc]) await capture.stop()
    expect(outerVids(atPc)).toEqual([-1])
    for (const capture of between) {
      expect(outerVids(capture)).toEqual([10])
      expect(superFrames(capture, site.pc.state('eth0').address)).toEqual(EVERY_KIND)
      expect(superFrames(capture, site.far.state('eth0').address)).toEqual(EVERY_KIND)
    }
  })
})

/** Replaces the cables from the hosts to agent and hub by ones that lead through a machine for two switches. */
function putSwitchesBetween(): Site['hub'] {
  const switches = lab.namespace('switches')
  site.pc.ip('link', 'delete', 'eth0')
  site.far.ip('link', 'delete', 'eth0')
  lab.link(site.pc, 'eth0', switches, 'pc')
  lab.link(switches, 'site', site.site, 'lan')
  lab.link(site.hub, 'lan', switches, 'hub')
  lab.link(switches, 'far', site.far, 'eth0')
  for (const nic of ['pc', 'site', 'hub', 'far']) switches.offloads(nic, 'on', ALL)
  site.pc.address('eth0', `${PC_ADDRESS}/24`)
  site.pc.address('eth0', `${PC_ADDRESS_6}/64`)
  site.far.address('eth0', `${FAR_ADDRESS}/24`)
  site.far.address('eth0', `${FAR_ADDRESS_6}/64`)
  return switches
}
