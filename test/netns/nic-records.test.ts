/**
 * What is known of an interface `lan` stays known until it is put back: with rights that lack, files that cannot be used,
 * several agents, and others who change it meanwhile.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *                  hconnect           (bridge)           hybridge
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { EXIT_NO_PRIVILEGE, EXIT_OTHER } from '#agent/exit-codes.ts'
import { parseRecord } from '#net/port/nic/record.ts'
import { RECORDS } from '#net/port/nic/records-directory.ts'
import { agentArguments, startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { nicSettings } from '#test/support/nic-settings.ts'
import type { Running } from '#test/support/process.ts'
import { AGENT_COMMAND } from '#test/support/product.ts'
import { HUB_ADDRESS, buildSite, type Site } from '#test/support/site.ts'

const ROOT = join(import.meta.dirname, '../..')
const UNPRIVILEGED = ['setpriv', '--bounding-set', '-net_admin']
const UID = 65_534

let lab: Lab
let site: Site
let hub: Hub

beforeAll(async () => {
  lab = new Lab()
  site = buildSite(lab)
  site.site.ip('link', 'delete', 'lan')
  hub = await Hub.start(site.hub, { address: HUB_ADDRESS, bridges: ['private0', 'private1'] })
})
beforeEach(() => lab.link(site.pc, 'eth0', site.site, 'lan'))
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  site.site.ip('link', 'delete', 'lan')
})
afterAll(() => lab.close())

const start = (bridge = 'private0', args: string[] = []): Promise<Running> =>
  startAgent(site.site, { hub, nic: 'lan', interval: 0.2, bridge, args })

/** Starts the agent by a command that takes it as its last arguments. */
async function startBy(command: readonly string[], nic = 'lan'): Promise<Running> {
  const [name = '', ...args] = command
  const agentArgs = agentArguments(site.site, { hub, nic, interval: 0.2 })
  const agent = site.site.spawn(name, [...args, process.execPath, AGENT_COMMAND, ...agentArgs])
  await agent.line(/^Port 0002/)
  return agent
}

/** A command that runs another with a /run of its own, which `script`, a shell's, has prepared. */
const withRun = (script: string): string[] => {
  const prepare = `mount -t tmpfs -o size=128k tmpfs /run && mkdir -p ${RECORDS} && ${script}`
  return ['unshare', '--mount', 'sh', '-c', `${prepare} && exec "$0" "$@"`]
}

async function kill(agent: Running): Promise<void> {
  agent.child.kill('SIGKILL')
  await agent.exited
}

/** Runs TypeScript in the site's namespace; `lan` is the interface's index. */
const script = (code: string) =>
  site.site.run(
    process.execPath,
    ['--import', 'tsx', '--input-type', 'module', '--eval', `const lan = ${indexOf('lan')}\n${code}`],
    { cwd: ROOT },
  )
const SETTINGS = `
  import { execFileSync } from 'node:child_process'
  import { NicSettings } from '#net/port/nic/settings.ts'
  const ip = (args) => execFileSync('ip', args.split(' '))
  const settings = new NicSettings({}, console.log)
`

const indexOf = (nic: string): number => Number(site.site.exec('cat', `/sys/class/net/${nic}/ifindex`).trim())

describe('Without the right to change interfaces', () => {
  it('`hconnect restore` fails and keeps the record', async () => {
    site.site.ip('link', 'set', 'lan', 'down')
    const before = nicSettings(site.site, 'lan')
    await kill(await start())
    const [name, ...more] = [...UNPRIVILEGED, process.execPath, AGENT_COMMAND, 'restore']
    const { code, stdout, stderr } = await site.site.run(name, more, { check: false })
    expect(stdout).not.toMatch(/as it was|MTU|down/)
    expect(stderr).toMatch(
      /^hconnect: cannot restore lan: .*not permitted \(needs CAP_NET_ADMIN; run as root\)/,
    )
    expect(code).toBe(EXIT_NO_PRIVILEGE)
    const [file = ''] = site.site.nicRecords()
    expect(parseRecord(readFileSync(file, 'utf8'))).toMatchObject({
      mtu: { before: 1500, set: [9216] },
      broughtUp: true,
      owners: [],
    })
    const again = await site.site.run(process.execPath, [AGENT_COMMAND, 'restore'])
    expect(again).toMatchObject({ stdout: expect.stringMatching(/^lan: down, .*MTU 1500/), stderr: '' })
    expect(nicSettings(site.site, 'lan')).toEqual(before)
    expect(site.site.nicRecords()).toEqual([])
  })

  it('the agent says that it lacks, and does not blame the driver', async () => {
    site.site.offloads('lan', 'on', ['rx-gro-list'])
    const agent = await startBy(UNPRIVILEGED)
    expect(agent.stderr).toMatch(
      /: lan keeps rx-gro-list.* on: cannot switch offloads of lan: .*not permitted \(needs CAP_NET_ADMIN;/,
    )
    await agent.stop()
  })
})

describe('Records', () => {
  it('that are locked for long make `hconnect restore` fail', async () => {
    const file = `${RECORDS}/${site.site.identity}-${indexOf('lan')}.json`
    const [name = '', ...args] = withRun(`echo > ${file} && { flock ${RECORDS} sleep 8 & sleep 0.5; }`)
    const restored = await site.site.run(name, [...args, process.execPath, AGENT_COMMAND, 'restore'], {
      check: false,
    })
    expect(restored).toMatchObject({
      code: EXIT_OTHER,
      stdout: '',
      stderr: `hconnect: cannot restore: another process has had ${RECORDS} locked for 5 s\n`,
    })
  })

  it('are not kept in a directory that another user may replace, which is said once', async () => {
    const before = nicSettings(site.site, 'lan')
    const agent = await startBy(withRun(`chown ${UID} /run/hybridge`))
    expect(site.site.state('lan').mtu).toBe(9216)
    const list = site.site.exec('ls', '-A', `/proc/${agent.pid}/root${RECORDS}`)
    const { stderr } = await agent.stop()
    expect(list).toBe('')
    expect(
      stderr.match(/cannot keep in .* \(\/run\/hybridge is not safe, as it belongs to user 65534;/g),
    ).toHaveLength(1)
    expect(nicSettings(site.site, 'lan')).toEqual(before)
  })

  it('that cannot be written any more count less than what the agent knows', async () => {
    site.site.ip('link', 'set', 'lan', 'down')
    const agent = await startBy(withRun('true'))
    // There is no room for another file.
    const full = `/proc/${agent.pid}/root/run/full`
    expect(() => writeFileSync(full, new Uint8Array(1 << 20))).toThrow('ENOSPC')
    site.site.ip('link', 'set', 'lan', 'down')
    await agent.line(/: lan: interface is down$/)
    site.site.ip('link', 'set', 'lan', 'up')
    await agent.line(/: lan: interface is up$/)
    const { stderr } = await agent.stop()
    expect(stderr.match(/cannot keep in .*no space left/g)).toHaveLength(1)
    expect(nicSettings(site.site, 'lan')).toMatchObject({ mtu: 1500, isUp: true })
  })

  it('hold each port once, however often it takes the interface', async () => {
    await script(`${SETTINGS}for (let i = 0; i < 300; i++) settings.apply(lan)`)
    const [file = ''] = site.site.nicRecords()
    expect(parseRecord(readFileSync(file, 'utf8'))?.owners).toHaveLength(1)
  })
})

describe('An interface', () => {
  it('that has but the number of the one that was changed stays as it is', async () => {
    const again = 'link add lan index ${lan} address 06:00:00:00:00:07 mtu 9216 type veth peer eth1'
    await script(
      `${SETTINGS}settings.apply(lan); ip('link delete lan'); ip(\`${again}\`); settings.restore()`,
    )
    expect(site.site.state('lan').mtu).toBe(9216)
    expect(site.site.nicRecords()).toEqual([])
  })

  it('that another agent brought up is brought down in the end, when that one was killed', async () => {
    site.site.ip('link', 'set', 'lan', 'down')
    const before = nicSettings(site.site, 'lan')
    const agent = await start()
    site.site.ip('link', 'set', 'lan', 'down')
    await agent.line(/: lan: interface is down$/)
    await kill(await start('private1'))
    await agent.line(/: lan: interface is up$/)
    site.site.ip('link', 'set', 'lan', 'address', '06:00:00:00:00:07')
    await new Promise((resolve) => setTimeout(resolve, 300))
    await agent.stop()
    expect(nicSettings(site.site, 'lan')).toEqual({ ...before, address: '06:00:00:00:00:07' })
  })

  it('of a bridge with an address keeps an MTU that the address can live with', async () => {
    site.site.bridge('br9', ['lan'])
    site.site.address('br9', '192.0.2.1/24')
    const agent = await start()
    expect(site.site.state('lan').mtu).toBe(1516)
    expect(site.site.state('br9').mtu).toBe(1516)
    await agent.stop()
    expect(site.site.state('br9').mtu).toBe(1500)
    site.site.ip('link', 'delete', 'br9')
  })

  it.each([
    ['up', 'with its own MTU of IPv6 keeps it', []],
    ['down', 'with its own MTU of IPv6, which is brought up, keeps it', []],
    ['up', 'with its own MTU of IPv6 has it again after a kill', ['restore']],
  ])('that is %s, %s', async (state, _what, command) => {
    const mtu = (): string => site.site.exec('cat', '/proc/sys/net/ipv6/conf/lan/mtu').trim()
    site.site.ip('link', 'set', 'lan', state)
    site.site.sysctl({ 'net.ipv6.conf.lan.disable_ipv6': 0, 'net.ipv6.conf.lan.mtu': 1280 })
    const agent = await start()
    expect([mtu(), site.site.state('lan').mtu]).toEqual(['1280', 9216])
    if (command.length === 0) await agent.stop()
    else {
      await kill(agent)
      await site.site.run(process.execPath, [AGENT_COMMAND, ...command])
    }
    expect([mtu(), site.site.state('lan').mtu]).toEqual(['1280', 1500])
  })
})
