/**
 * The bridged interfaces, named `lan`, go down, come back, disappear and are made again; and get back the settings that
 * agent and hub changed.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *                  hconnect           (bridge)           hybridge
 */
import { chownSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EXIT_CARRIES_TUNNEL, EXIT_ENDED, EXIT_NO_NIC, EXIT_NO_PRIVILEGE } from '#agent/exit-codes.ts'
import { agentArguments, startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import type { Namespace } from '#test/support/netns.ts'
import { AGENT_COMMAND, HUB_COMMAND } from '#test/support/product.ts'
import { type Running, until } from '#test/support/process.ts'
import { FAR_ADDRESS, HUB_ADDRESS, PC_ADDRESS, buildSite, type Site } from '#test/support/site.ts'

const UID = 65_534
const NOBODY = ['--reuid', String(UID), '--regid', String(UID), '--clear-groups']

let lab: Lab
let site: Site

beforeEach(() => {
  lab = new Lab()
  site = buildSite(lab)
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  lab.close()
})

const startHub = (): Promise<Hub> =>
  Hub.start(site.hub, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })

/** The lab PC gets an answer of the far host. */
const expectReach = (): Promise<void> => site.pc.reaches(FAR_ADDRESS)

/** Both run, and the lab PC reaches the far host. */
async function joinUp(): Promise<{ hub: Hub; agent: Running }> {
  const hub = await startHub()
  const agent = await startAgent(site.site, { hub, nic: 'lan', interval: 0.2 })
  await site.pc.reaches(FAR_ADDRESS)
  return { hub, agent }
}

/** The cable between a host and the bridged interface, new: other addresses, and neither end knows the other's. */
function newCable(host: Namespace, address: string, machine: Namespace): void {
  lab.link(host, 'eth0', machine, 'lan')
  host.address('eth0', `${address}/24`)
  site.pc.ip('neighbour', 'flush', 'dev', 'eth0')
  site.far.ip('neighbour', 'flush', 'dev', 'eth0')
}

/** What agent and hub may change of an interface. */
const settings = (machine: Namespace): object => {
  const { mtu, promiscuity, operstate } = machine.state('lan')
  return { mtu, promiscuity, operstate, features: machine.exec('ethtool', '-k', 'lan') }
}

const CASES = [
  { who: 'the agent', place: 'site', host: 'pc', address: PC_ADDRESS, says: 'lan: ' },
  {
    who: 'the hub',
    place: 'hub',
    host: 'far',
    address: FAR_ADDRESS,
    says: 'nic:lan on private0 is (down: )?',
  },
] as const

describe.each(CASES)("The interface of $who's side", ({ place, host, address, says }) => {
  it('goes down and up: this is said, and traffic resumes', async () => {
    const { hub, agent } = await joinUp()
    const teller = place === 'site' ? agent : hub.process
    site[place].ip('link', 'set', 'lan', 'down')
    await teller.line(new RegExp(`${says}interface is down`))
    const from = teller.lines.length
    site[place].ip('link', 'set', 'lan', 'up')
    await teller.line(new RegExp(`${says}(interface is )?up`), { from })
    await expectReach()
  })

  it('is deleted and made again: this is said, and traffic resumes; its new settings are restored too', async () => {
    const { hub, agent } = await joinUp()
    const teller = place === 'site' ? agent : hub.process
    site[place].ip('link', 'delete', 'lan')
    await teller.line(new RegExp(`${says}interface is gone`))
    const from = teller.lines.length
    newCable(site[host], address, site[place])
    await teller.line(new RegExp(`${says}(interface is )?up`), { from })
    await expectReach()
    expect(site[place].state('lan')).toMatchObject({ mtu: 9216, promiscuity: 1 })
    await teller.stop()
    expect(site[place].state('lan')).toMatchObject({ mtu: 1500, promiscuity: 0 })
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('gets its settings back after %s', async (signal) => {
    site[place].ip('link', 'set', 'lan', 'mtu', '1400')
    site[place].offloads('lan', 'on', ['rx-gro-list'])
    site[place].ip('link', 'set', 'lan', 'down')
    const before = settings(site[place])
    const { hub, agent } = await joinUp()
    const teller = place === 'site' ? agent : hub.process
    expect(settings(site[place])).toEqual({
      mtu: 9216,
      promiscuity: 1,
      operstate: 'UP',
      features: expect.stringContaining('rx-gro-list: off'),
    })
    const { code, stderr } = await teller.stop(signal)
    expect({ code, stderr }).toMatchObject({ code: EXIT_ENDED })
    expect(settings(site[place])).toEqual(before)
  })
})

describe('hconnect', () => {
  it('leaves the interface not promiscuous when it is killed', async () => {
    const { agent } = await joinUp()
    await agent.stop('SIGKILL')
    expect(await until('promiscuity 0', () => site.site.state('lan').promiscuity === 0)).toBe(true)
  })

  it.each([
    {
      what: 'the interface that carries the tunnel',
      nic: 'wan',
      user: [],
      exitCode: EXIT_CARRIES_TUNNEL,
      says: /^hconnect: wan carries the connection to the hub \(10\.98\.0\.2\) and cannot be bridged: .*-n NIC/,
    },
    {
      what: 'an interface that does not exist',
      nic: 'missing0',
      user: [],
      exitCode: EXIT_NO_NIC,
      says: /^hconnect: cannot open missing0: no such device \(.*ip link/,
    },
    {
      what: 'any interface without privilege',
      nic: 'lan',
      user: NOBODY,
      exitCode: EXIT_NO_PRIVILEGE,
      says: /^hconnect: cannot open lan: operation not permitted \(needs CAP_NET_RAW; /,
    },
  ])('refuses $what, in one line, and changes nothing', async ({ nic, user, exitCode, says }) => {
    const hub = await startHub()
    if (user === NOBODY) chownSync(hub.identity, UID, UID)
    const before = site.site.ip('-d', 'link', 'show')
    const { code, stderr } = await site.site.run(
      'setpriv',
      [...user, process.execPath, AGENT_COMMAND, ...agentArguments(site.site, { hub, nic })],
      { check: false, env: { HOME: '/nonexistent' } },
    )
    const lines = stderr.trimEnd().split('\n')
    expect(lines.filter((line) => !line.includes('is now remembered in'))).toEqual([
      expect.stringMatching(says),
    ])
    expect(code).toBe(exitCode)
    expect(site.site.ip('-d', 'link', 'show')).toBe(before)
  })
})

describe('hybridge', () => {
  it('does not start with an interface that is missing, and says so in one line', async () => {
    const args = ['serve', '--data', join(lab.directory, 'data'), '--ssh', `${HUB_ADDRESS}:2222`]
    const attach = ['--bridge', 'private0', '--attach', 'private0=nic:missing0']
    const { code, stderr } = await site.hub.run(process.execPath, [HUB_COMMAND, ...args, ...attach], {
      check: false,
    })
    const lines = stderr.trimEnd().split('\n')
    expect(lines.filter((line) => !line.startsWith('{'))).toEqual([
      'hybridge: cannot open missing0: no such device (`ip link` lists the interfaces)',
    ])
    expect(code).not.toBe(0)
  })

  it('runs on when its switches restart without an interface, says so, and takes it when it appears', async () => {
    const hub = await startHub()
    const [, pid] = await hub.process.line(/"process":"fabric","pid":(\d+),"msg":"ready"/)
    site.hub.ip('link', 'delete', 'lan')
    process.kill(Number(pid), 'SIGKILL')
    await hub.process.line(/cannot open lan: no such device .*; private0 goes on without it and tries again/)
    newCable(site.far, FAR_ADDRESS, site.hub)
    const from = hub.process.lines.length
    await hub.process.line(/nic:lan is attached to private0/, { from })
    await startAgent(site.site, { hub, nic: 'lan', interval: 0.2 })
    await expectReach()
  })
})
