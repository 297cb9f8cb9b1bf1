/**
 * Interfaces named `lan` are what they were when the last program that bridged them has ended, however it ended.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *                  hconnect           (bridge)           hybridge
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EXIT_ENDED, EXIT_NO_NIC, EXIT_NO_PRIVILEGE, EXIT_OTHER } from '#agent/exit-codes.ts'
import { agentArguments, startAgent } from '#test/support/agent.ts'
import { runHconnect } from '#test/support/hconnect.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { nicSettings } from '#test/support/nic-settings.ts'
import { type Running, until } from '#test/support/process.ts'
import { AGENT_COMMAND, HUB_COMMAND } from '#test/support/product.ts'
import { HUB_ADDRESS, buildSite, type Site } from '#test/support/site.ts'

/** How often an agent is killed at a random moment. */
const KILLS = Number(process.env['HYBRIDGE_KILLS'] ?? 5)
const LONGEST_LIFE_MS = 1500

const NOBODY = ['--reuid', '65534', '--regid', '65534', '--clear-groups']

let lab: Lab
let site: Site
let before: object

beforeEach(() => {
  lab = new Lab()
  site = buildSite(lab)
  disturb(site.site)
  before = nicSettings(site.site, 'lan')
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  lab.close()
})

/** Every setting other than a bridge needs it. */
function disturb(machine: Namespace): void {
  machine.ip('link', 'set', 'lan', 'mtu', '1400', 'down')
  machine.offloads('lan', 'on', ['rx-gro-list'])
  machine.sysctl({ 'net.ipv6.conf.lan.addr_gen_mode': 0, 'net.ipv6.conf.lan.disable_ipv6': 0 })
}

const startHub = (attach: string[] = []): Promise<Hub> =>
  Hub.start(site.hub, { address: HUB_ADDRESS, attach, bridges: ['private0', 'private1'] })
const start = (hub: Hub, bridge = 'private0'): Promise<Running> =>
  startAgent(site.site, { hub, nic: 'lan', interval: 0.2, bridge })
const changed = { mtu: 9216, promiscuity: 1, isUp: true, ipv6: '1', addresses: '' }

/** Kills it with what no program can catch. */
async function kill(agent: Running): Promise<void> {
  agent.child.kill('SIGKILL')
  await agent.exited
}

describe('An interface', () => {
  it('whose agent was killed is put back by the next one, which says so', async () => {
    const hub = await startHub()
    await kill(await start(hub))
    await until('promiscuity 0', () => site.site.state('lan').promiscuity === 0)
    expect(nicSettings(site.site, 'lan')).toMatchObject({ ...changed, promiscuity: 0 })
    const agent = await start(hub)
    expect(nicSettings(site.site, 'lan')).toMatchObject(changed)
    expect(agent.stderr).toMatch(/: lan was left changed by a bridge that was killed: /)
    await agent.stop()
    expect(nicSettings(site.site, 'lan')).toEqual(before)
    expect(site.site.nicRecords()).toEqual([])
  })

  it(
    'is put back after agents that were killed at random moments',
    { timeout: 20_000 + KILLS * 6000 },
    async () => {
      const hub = await startHub()
      const args = [AGENT_COMMAND, ...agentArguments(site.site, { hub, nic: 'lan' })]
      let random = 4711
      for (let i = 0; i < KILLS; i++) {
        random = (random * 48_271) % 2_147_483_647
        const agent = site.site.spawn(process.execPath, args)
        await new Promise((resolve) => setTimeout(resolve, (random / 2_147_483_647) * LONGEST_LIFE_MS))
        await kill(agent)
      }
      const last = await start(hub)
      expect(nicSettings(site.site, 'lan')).toMatchObject(changed)
      expect((await last.stop()).code).toBe(EXIT_ENDED)
      expect(nicSettings(site.site, 'lan')).toEqual(before)
      expect(site.site.nicRecords()).toEqual([])
    },
  )

  it('whose agent was killed is put back by `hconnect restore`', async () => {
    const hub = await startHub()
    const agent = await start(hub)
    const held = await runHconnect(site.site, ['restore'])
    expect(held).toMatchObject({ code: EXIT_OTHER, stdout: '' })
    expect(held.stderr).toMatch(/^hconnect: lan is bridged by process \d+, which restores it as it ends\n$/)
    expect(nicSettings(site.site, 'lan')).toMatchObject(changed)
    await kill(agent)
    const other = await runHconnect(site.site, ['restore', '-n', 'wan'])
    expect(other).toMatchObject({ code: EXIT_ENDED, stdout: 'nothing to restore\n', stderr: '' })
    expect(await runHconnect(site.site, ['restore', '-n', 'lan'])).toMatchObject({
      code: EXIT_ENDED,
      stdout: 'lan: down, rx-gro-list on, MTU 1400, IPv6 on\n',
      stderr: '',
    })
    expect(nicSettings(site.site, 'lan')).toEqual(before)
    const again = await runHconnect(site.site, ['restore'])
    expect(again).toMatchObject({ code: EXIT_ENDED, stdout: 'nothing to restore\n', stderr: '' })
    const asNobody = [...NOBODY, process.execPath, AGENT_COMMAND, 'restore']
    const user = await site.site.run('setpriv', asNobody, { check: false, env: { HOME: '/nonexistent' } })
    expect(user).toMatchObject({ code: EXIT_NO_PRIVILEGE, stdout: '' })
    expect(user.stderr).toMatch(/^hconnect: cannot restore: .*permission denied.* \(run as root\)\n$/)
    const missing = await runHconnect(site.site, ['restore', '-n', 'missing0'])
    expect(missing).toMatchObject({ code: EXIT_NO_NIC, stdout: '' })
  })

  it('is put back by its alternative name', async () => {
    await kill(await start(await startHub()))
    site.site.ip('link', 'property', 'add', 'dev', 'lan', 'altname', 'lan-alt')
    expect(await runHconnect(site.site, ['restore', '-n', 'lan-alt'])).toMatchObject({
      code: EXIT_ENDED,
      stdout: expect.stringMatching(/^lan: .*MTU 1400/),
    })
    expect(nicSettings(site.site, 'lan')).toEqual(before)
  })

  it('that two agents bridge keeps its settings until the last one ends', async () => {
    const hub = await startHub()
    const one = await start(hub)
    const two = await start(hub, 'private1')
    expect(nicSettings(site.site, 'lan')).toMatchObject({ ...changed, promiscuity: 2 })
    await one.stop()
    expect(nicSettings(site.site, 'lan')).toMatchObject(changed)
    await two.stop()
    expect(nicSettings(site.site, 'lan')).toEqual(before)
  })

  it('keeps what somebody else sets while it is bridged', async () => {
    const hub = await startHub()
    const agent = await start(hub)
    site.site.ip('link', 'set', 'lan', 'mtu', '2000', 'down')
    await agent.line(/lan: interface is down/)
    const from = agent.lines.length
    site.site.ip('link', 'set', 'lan', 'up')
    await agent.line(/lan: interface is up/, { from })
    await agent.stop()
    expect(nicSettings(site.site, 'lan')).toMatchObject({ mtu: 2000, isUp: true, promiscuity: 0 })
  })

  it('that is gone has no record, and one of its name is another', async () => {
    const hub = await startHub()
    await kill(await start(hub))
    expect(site.site.nicRecords()).toHaveLength(1)
    site.site.ip('link', 'delete', 'lan')
    lab.link(site.pc, 'eth0', site.site, 'lan')
    const found = nicSettings(site.site, 'lan')
    const agent = await start(hub)
    expect(agent.stderr).not.toContain('left changed')
    expect(site.site.nicRecords()).toHaveLength(1)
    await agent.stop()
    expect(nicSettings(site.site, 'lan')).toEqual(found)
    expect(site.site.nicRecords()).toEqual([])
  })

  it.each([
    [
      'is cut short',
      (text: string) => text.slice(0, 40),
      /\.json is no record of interface \d+: it is ignored/,
    ],
    ['holds something else', () => '{"mtu":{"before":"/etc/passwd"}}', /\.json is no record of interface/],
    [
      'has the number of another interface',
      (text: string) => text.replace(/"index": \d+/, '"index": 1'),
      /\.json is no record of interface/,
    ],
    [
      'is of an earlier start of the system',
      (text: string) => text.replace(/"boot": "[^"]*/, `"boot": "${'0'.repeat(36)}`),
      /^(?!.*record)/,
    ],
    [
      'is of another interface',
      (text: string) => text.replace(/(?<="address": ")../, (octet) => (octet === '06' ? '0a' : '06')),
      /^(?!.*record)/,
    ],
  ])('whose record %s starts afresh', async (_what, spoil, says) => {
    const hub = await startHub()
    await kill(await start(hub))
    const [file = ''] = site.site.nicRecords()
    writeFileSync(file, spoil(readFileSync(file, 'utf8')))
    const agent = await start(hub)
    expect(agent.stderr.replaceAll('\n', ' ')).toMatch(says)
    expect(agent.stderr).not.toContain('left changed')
    await agent.stop()
    // What the first agent found is not known any more.
    expect(nicSettings(site.site, 'lan')).toMatchObject({ mtu: 9216, isUp: true, promiscuity: 0 })
  })

  it('is put back where nothing can be recorded, which is said once', async () => {
    const hub = await startHub()
    const args = agentArguments(site.site, { hub, nic: 'lan', interval: 0.2 })
    const agent = site.site.spawn('unshare', [
      '--mount',
      'sh',
      '-c',
      'mount -t tmpfs -o ro tmpfs /run && exec "$0" "$@"',
      process.execPath,
      AGENT_COMMAND,
      ...args,
    ])
    await agent.line(/^Port 0002/)
    expect(nicSettings(site.site, 'lan')).toMatchObject(changed)
    const { stderr } = await agent.stop()
    expect(
      stderr.match(/cannot keep in \/run\/hybridge\/nic what interfaces were \(.*read-only/g),
    ).toHaveLength(1)
    expect(nicSettings(site.site, 'lan')).toEqual(before)
  })
})

describe("The hub's interface", () => {
  it('is put back at the end, also when the switches were killed meanwhile; an agent may bridge it too', async () => {
    disturb(site.hub)
    const found = nicSettings(site.hub, 'lan')
    const hub = await startHub(['private0=nic:lan'])
    expect(nicSettings(site.hub, 'lan')).toMatchObject(changed)
    const [file = ''] = site.hub.nicRecords()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700)
    const [, pid] = await hub.process.line(/"process":"fabric","pid":(\d+),"msg":"ready"/)
    const from = hub.process.lines.length
    process.kill(Number(pid), 'SIGKILL')
    await hub.process.line(/lan was left changed by a bridge that was killed/, { from })
    await hub.process.line(/"process":"fabric".*"msg":"ready"/, { from })
    const agent = await startAgent(site.hub, { hub, nic: 'lan', interval: 0.2, bridge: 'private1' })
    await hub.stop()
    expect(nicSettings(site.hub, 'lan')).toMatchObject(changed)
    await agent.stop()
    expect(nicSettings(site.hub, 'lan')).toEqual(found)
    expect(site.hub.nicRecords()).toEqual([])
  })

  it('is put back by the hub when an agent that bridges it too ends first', async () => {
    disturb(site.hub)
    const found = nicSettings(site.hub, 'lan')
    const hub = await startHub(['private0=nic:lan'])
    const agent = await startAgent(site.hub, { hub, nic: 'lan', interval: 0.2, bridge: 'private1' })
    await agent.stop()
    expect(nicSettings(site.hub, 'lan')).toMatchObject(changed)
    await hub.stop()
    expect(nicSettings(site.hub, 'lan')).toEqual(found)
  })

  it('and others are put back after SIGTERM while they are opened', async () => {
    const pairs = Array.from({ length: 10 }, (_, i) => [`lan${i}`, `peer${i}`] as const)
    for (const [nic, peer] of pairs) site.hub.ip('link', 'add', nic, 'type', 'veth', 'peer', peer)
    const nics = pairs.flat()
    const settings = (): object[] => nics.map((nic) => nicSettings(site.hub, nic))
    const found = settings()
    const hub = await startHub()
    await hub.stop()
    const attach = nics.flatMap((nic) => ['--attach', `private0=nic:${nic}`])
    const again = site.hub.spawn(process.execPath, [HUB_COMMAND, ...hub.arguments, ...attach])
    await until('the first MTU', () => site.hub.state('lan0').mtu === 9216)
    const { stderr } = await again.stop()
    expect(stderr).toMatch(/"process":"fabric".*"msg":"stopping"/)
    expect(settings()).toEqual(found)
  })
})
