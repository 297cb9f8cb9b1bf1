/**
 * The interface that carries the tunnel is not bridged, by whatever name it is called and whatever the way to the hub.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *                  hconnect           (bridge)           hybridge
 */
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EXIT_CARRIES_TUNNEL } from '#agent/exit-codes.ts'
import { agentArguments, startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { until, type Finished } from '#test/support/process.ts'
import { AGENT_COMMAND, HUB_COMMAND } from '#test/support/product.ts'
import { FAR_ADDRESS, HUB_ADDRESS, buildSite, type Site } from '#test/support/site.ts'

const SITE_ADDRESS = '10.98.0.1'
const RELAY = join(import.meta.dirname, '../support/tun-relay.py')
/** Inside the VPN. */
const VPN = { site: '10.66.0.1', hub: '10.66.0.2' }

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

const startHub = (attach: string[] = [], address = HUB_ADDRESS): Promise<Hub> =>
  Hub.start(site.hub, { address, attach: attach.map((nic) => `private0=nic:${nic}`) })

/** Runs an agent that is expected to end by itself. */
const ends = (hub: Hub, nic: string, wrap: readonly string[] = []): Promise<Finished> => {
  const command = [...wrap, process.execPath, AGENT_COMMAND, ...agentArguments(site.site, { hub, nic })]
  return site.site.run(command[0] ?? '', command.slice(1), { check: false })
}

const said = ({ stderr }: { stderr: string }): string =>
  stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !line.includes('is now remembered in'))
    .join('\n')

async function expectRefused(
  run: Promise<Finished>,
  what = 'wan carries the connection to the hub',
): Promise<void> {
  const finished = await run
  expect(said(finished)).toMatch(new RegExp(`^hconnect: ${what} .*--allow-uplink`))
  expect(finished.code).toBe(EXIT_CARRIES_TUNNEL)
}

const alternative = (machine: Namespace, nic: string, name: string): string =>
  machine.ip('link', 'property', 'add', 'dev', nic, 'altname', name)

describe('hconnect refuses the interface that carries the tunnel', () => {
  it('by its alternative name, and by its name with a label', async () => {
    const hub = await startHub()
    alternative(site.site, 'wan', 'wan-alt')
    await expectRefused(ends(hub, 'wan-alt'))
    await expectRefused(ends(hub, 'wan:x'))
  })

  it('before anything of it is changed', async () => {
    const hub = await startHub()
    const monitor = site.site.spawn('ip', ['-o', 'monitor', 'link'])
    const isHeard = (): boolean => {
      site.site.ip('link', 'set', 'lan', 'txqueuelen', '999')
      site.site.ip('link', 'set', 'lan', 'txqueuelen', '1000')
      return monitor.stdout.includes(' lan@')
    }
    await until('the monitor hears', isHeard)
    await expectRefused(ends(hub, 'wan'))
    const heard = monitor.stdout.length
    await until('the monitor hears', () => isHeard() && monitor.stdout.length > heard)
    expect(monitor.stdout).not.toContain(' wan@')
  })

  it('under the name that it was given meanwhile', async () => {
    const hub = await startHub()
    lab.link(site.site, 'spare', site.wan, 'spare')
    site.wan.ip('link', 'set', 'spare', 'master', 'br0')
    const agent = await startAgent(site.site, { hub, nic: 'spare', interval: 0.2 })
    site.site.ip('link', 'set', 'spare', 'down')
    site.site.ip('link', 'set', 'spare', 'name', 'renamed')
    site.site.ip('link', 'set', 'renamed', 'up')
    await agent.line(/spare is called renamed now/)
    site.site.ip('route', 'add', `${HUB_ADDRESS}/32`, 'dev', 'renamed', 'src', SITE_ADDRESS)
    agent.child.kill('SIGHUP')
    const { code, stderr } = await agent.exited
    expect(stderr).toMatch(/renamed carries the connection to the hub/)
    expect(code).toBe(EXIT_CARRIES_TUNNEL)
  })

  it('where it is a port of a bridge, also with the /sys of another network namespace', async () => {
    const hub = await startHub()
    site.site.ip('address', 'flush', 'dev', 'wan')
    site.site.bridge('br9', ['wan'])
    site.site.address('br9', `${SITE_ADDRESS}/24`)
    await expectRefused(ends(hub, 'wan'))
    await expectRefused(ends(hub, 'wan', ['nsenter', `--mount=/proc/${process.pid}/ns/mnt`]))
  })
})

describe('hconnect with the /sys of another network namespace', () => {
  it('tells the bridge that has the interface, and what it cannot know', async () => {
    const hub = await startHub()
    site.site.bridge('br9', ['lan'])
    const command = [process.execPath, AGENT_COMMAND, ...agentArguments(site.site, { hub, nic: 'lan' })]
    const agent = site.site.spawn('nsenter', [`--mount=/proc/${process.pid}/ns/mnt`, ...command])
    await agent.line(/\/sys does not show lan: whether it is Wi-Fi, /)
    expect(agent.stderr).toMatch(/lan is a port of br9, /)
  })
})

describe('hconnect with an alternative name', () => {
  it('bridges the interface and speaks of it by its own', async () => {
    const hub = await startHub(['lan'])
    alternative(site.site, 'lan', 'lan-alt')
    site.site.bridge('br9', ['lan'])
    const agent = await startAgent(site.site, { hub, nic: 'lan-alt', interval: 0.2 })
    await site.pc.reaches(FAR_ADDRESS)
    await agent.line(/: lan is a port of br9, .*ip link set lan nomaster/)
    site.site.ip('link', 'set', 'lan', 'down')
    await agent.line(/interface is down/)
    expect(agent.stderr).not.toMatch(/is called/)
  })
})

/** The refusal of a hub that has `nic` attached. */
async function expectHubRefuses(nic: string, address: string): Promise<void> {
  const hub = await startHub([nic], address)
  const finished = await ends(hub, 'lan')
  expect(said(finished)).toMatch(
    /the hub's wan carries this connection \(to .*\) and is attached to private0: /,
  )
  expect(finished.code).toBe(EXIT_CARRIES_TUNNEL)
}

describe('hybridge refuses a tunnel through an attached interface', () => {
  it('that it knows by an alternative name', async () => {
    alternative(site.hub, 'wan', 'wan-alt')
    await expectHubRefuses('wan-alt', HUB_ADDRESS)
  })

  it('whose address has a label', async () => {
    site.hub.ip('address', 'delete', `${HUB_ADDRESS}/24`, 'dev', 'wan')
    site.hub.ip('address', 'add', '10.98.0.9/24', 'dev', 'wan', 'label', 'wan:vip')
    await expectHubRefuses('wan', '10.98.0.9')
  })

  it('to an address of the loopback', async () => {
    site.hub.address('lo', '10.97.0.2/32')
    site.site.ip('route', 'add', '10.97.0.2', 'via', HUB_ADDRESS)
    await expectHubRefuses('wan', '10.97.0.2')
  })
})

describe('hybridge', () => {
  it('does not start with an interface that is attached twice by two names', async () => {
    alternative(site.hub, 'lan', 'lan-alt')
    const args = ['serve', '--data', join(lab.directory, 'data'), '--ssh', `${HUB_ADDRESS}:2222`]
    const attach = ['nic:lan', 'nic:lan-alt'].flatMap((nic) => ['--attach', `private0=${nic}`])
    const { code, stderr } = await site.hub.run(
      process.execPath,
      [HUB_COMMAND, ...args, '--bridge', 'private0', ...attach],
      { check: false },
    )
    expect(stderr).toMatch(
      /^hybridge: cannot attach lan-alt: it is lan, which is attached to private0 already$/m,
    )
    expect(code).not.toBe(0)
  })
})

async function relayTun(machine: Namespace, own: string, peer: string): Promise<void> {
  machine.ip('tuntap', 'add', 'dev', 'tun0', 'mode', 'tun')
  const relay = machine.spawn('/usr/bin/python3', ['-I', '-S', RELAY, 'tun0', own, peer])
  await relay.line(/^relaying$/)
}

/** The site's end and the hub's end of a VPN over the WAN, with addresses. */
const VPNS = {
  async tun0(): Promise<void> {
    await relayTun(site.site, SITE_ADDRESS, HUB_ADDRESS)
    await relayTun(site.hub, HUB_ADDRESS, SITE_ADDRESS)
  },
  async vxlan0(): Promise<void> {
    const type = ['type', 'vxlan', 'id', '7', 'dstport', '4789']
    site.site.ip('link', 'add', 'vxlan0', ...type, 'remote', HUB_ADDRESS)
    site.hub.ip('link', 'add', 'vxlan0', ...type, 'remote', SITE_ADDRESS)
  },
}

describe.each(['tun0', 'vxlan0'] as const)('Through a VPN, %s,', (name) => {
  beforeEach(async () => {
    await VPNS[name]()
    for (const place of ['site', 'hub'] as const) {
      site[place].address(name, `${VPN[place]}/24`)
      site[place].ip('link', 'set', name, 'up')
    }
  })

  it('hconnect refuses an interface that may carry it, and no other; --allow-uplink goes without', async () => {
    const hub = await startHub([], VPN.hub)
    await expectRefused(ends(hub, 'wan'), `wan may carry the connection to the hub .* goes through ${name},`)
    const other = await startAgent(site.site, { hub, nic: 'lan' })
    await other.stop()
    const allowed = await startAgent(site.site, { hub, nic: 'wan', args: ['--allow-uplink'] })
    await allowed.stop()
  })

  it('hybridge tells once that an attached interface may carry it', async () => {
    site.hub.address('lan', '10.97.0.1/24')
    const hub = await startHub(['lan'], VPN.hub)
    for (let i = 0; i < 2; i++) {
      const agent = await startAgent(site.site, { hub, nic: 'lan' })
      await agent.stop()
    }
    const told = hub.process.lines.filter((line) => line.includes('may carry the tunnel'))
    expect(told).toEqual([
      expect.stringMatching(
        new RegExp(`lan, attached to private0, may carry the tunnel of ann, which comes through ${name}: `),
      ),
    ])
  })
})
