/**
 * How the agent dials: a hub with two addresses of which one leads nowhere, and the congestion control that both ends
 * begin with. The name hub.lab has both addresses of the hub; half.lab has one that nobody has.
 *
 *   [pc eth0]---[lan  site  wan]------------[wan  hub]
 *                 10.98.0.1               10.98.0.2
 *                 2001:db8:98::1          2001:db8:98::2
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { EXIT_UNREACHABLE } from '#agent/exit-codes.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import type { Namespace } from '#test/support/netns.ts'
import { until, type Running } from '#test/support/process.ts'
import { AGENT_COMMAND } from '#test/support/product.ts'

const V4 = '10.98.0.2'
const V6 = '2001:db8:98::2'
const NOBODY = '2001:db8:98::3'
const DROPPED_PORT = 2223

/** What the namespaces use by default, so that CUBIC is somebody's choice. */
const DEFAULT = readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').includes('bbr')
  ? 'bbr'
  : 'reno'
/** The next address is tried after 250 ms (RFC 8305 §5); the agent tells milliseconds. */
const STAGGER_MS = 245
/** A second, asserted at twice that. */
const SOON_MS = 2000

let lab: Lab
let site: Namespace
let hubHost: Namespace
let hub: Hub
/** Files for what runs in `site` by `ip netns exec`, which shows them as those of /etc. */
let etc: string

beforeAll(async () => {
  lab = new Lab()
  const pc = lab.namespace('pc')
  site = lab.namespace('site')
  hubHost = lab.namespace('hub')
  lab.link(pc, 'eth0', site, 'lan')
  lab.link(site, 'wan', hubHost, 'wan')
  for (const [at, end] of [[site, 1] as const, [hubHost, 2] as const]) {
    at.address('wan', `10.98.0.${end}/24`)
    at.address('wan', `2001:db8:98::${end}/64`)
    at.address('wan', `fe80::${end}/64`)
    at.sysctl({ 'net.ipv4.tcp_congestion_control': DEFAULT })
  }
  etc = `/etc/netns/${site.name}`
  mkdirSync(etc, { recursive: true })
  writeFileSync(
    join(etc, 'hosts'),
    `127.0.0.1 localhost\n${V6} hub.lab\n${V4} hub.lab\n${NOBODY} half.lab\n${V4} half.lab\n`,
  )
  hubHost.exec('nft', 'add', 'table', 'inet', 'faults')
  hubHost.exec('nft', 'add chain inet faults input { type filter hook input priority 0 ; }')
  hub = await Hub.start(hubHost, { address: '[::]' })
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  for (const one of started.splice(0)) await one.stop()
  hubHost.exec('nft', 'flush', 'chain', 'inet', 'faults', 'input')
})
afterAll(() => {
  rmSync(etc, { recursive: true, force: true })
  if (readdirSync('/etc/netns').length === 0) rmdirSync('/etc/netns')
  lab.close()
})

/** Makes the hub's machine treat packets in a way of its own: `tcp dport 22 drop`. */
const fault = (rule: string): void =>
  void hubHost.exec('nft', 'add', 'rule', 'inet', 'faults', 'input', ...rule.split(' '))

const started: Running[] = []
function hconnect(to: string): Running {
  const keys = ['--identity', hub.identity, '--known-hosts', join(lab.directory, 'known'), '--accept-new']
  const args = ['-u', 'ann', '-b', 'private0', '-s', to, '-n', 'lan', ...keys, '--json']
  const agent = site.spawn(process.execPath, [AGENT_COMMAND, ...args], {
    env: { HOME: lab.directory, XDG_CONFIG_HOME: lab.directory, SSH_AUTH_SOCK: '' },
  })
  started.push(agent)
  return agent
}

interface Event {
  readonly time: string
  readonly address?: string
  readonly message?: string
}

async function event(agent: Running, type: string): Promise<Event> {
  const [line] = await agent.line(new RegExp(`^\\{.*"type":"${type}".*\\}$`), { deadlineMs: 15_000 })
  return JSON.parse(line)
}

/** The address that the agent reached, and the milliseconds that it took to. */
async function reached(agent: Running): Promise<{ address: string | undefined; ms: number }> {
  const start = await event(agent, 'start')
  const check = await event(agent, 'check')
  await event(agent, 'connected')
  return { address: check.address, ms: Date.parse(check.time) - Date.parse(start.time) }
}

/** TCP sockets with the kernel's details, a line each. */
const sockets = (at: Namespace, ...filter: string[]): string[] =>
  at
    .exec('ss', '-tinHO', ...filter)
    .split('\n')
    .filter((line) => line !== '')

describe('a hub with two addresses', () => {
  it('is reached by the first of them', async () => {
    expect((await reached(hconnect('hub.lab:2222'))).address).toBe(V6)
  })

  it('is reached by the other within a second when the first swallows everything', async () => {
    fault(`ip6 daddr ${V6} tcp dport 2222 drop`)
    const { address, ms } = await reached(hconnect('hub.lab:2222'))
    expect(address).toBe(V4)
    expect(ms).toBeGreaterThanOrEqual(STAGGER_MS)
    expect(ms).toBeLessThan(SOON_MS)
    expect(sockets(site, 'state', 'syn-sent')).toEqual([])
  })

  it('is reached by the other within a second when nobody has the first', async () => {
    const { address, ms } = await reached(hconnect('half.lab:2222'))
    expect(address).toBe(V4)
    expect(ms).toBeLessThan(SOON_MS)
  })

  it('is reached by the other at once when the first refuses', async () => {
    fault(`ip6 daddr ${V6} tcp dport 2222 reject with tcp reset`)
    // Once is enough: who waited for the first one is never so soon. A busy machine may be slow for other reasons.
    let soonest = Infinity
    for (let i = 0; i < 5 && soonest >= STAGGER_MS; i++) {
      const agent = hconnect('hub.lab:2222')
      const { address, ms } = await reached(agent)
      expect(address).toBe(V4)
      await agent.stop()
      soonest = Math.min(soonest, ms)
    }
    expect(soonest).toBeLessThan(STAGGER_MS)
  })

  it('is told of with the reason of each when neither is reached', async () => {
    fault(`ip6 daddr ${V6} tcp dport 2224 reject with icmpv6 admin-prohibited`)
    const agent = hconnect('hub.lab:2224')
    const { message } = await event(agent, 'error')
    expect(message).toBe(
      `cannot reach the hub hub.lab:2224: ${V6}: a firewall forbids it; ` +
        `${V4}: connection refused (does it run, and is the port right?)`,
    )
    expect((await agent.exited).code).toBe(EXIT_UNREACHABLE)
  })
})

it('reaches a link-local address with its interface', async () => {
  expect((await reached(hconnect('[fe80::2%wan]:2222'))).address).toMatch(/^fe80::2/)
})

describe(`where ${DEFAULT} is the default of both machines`, () => {
  it('the agent has chosen CUBIC when it sends the first segment', async () => {
    fault(`tcp dport ${DROPPED_PORT} drop`)
    hconnect(`${V4}:${DROPPED_PORT}`)
    const waiting = await until('a SYN', () => {
      const found = sockets(site, 'state', 'syn-sent')
      return found.length > 0 && found
    })
    expect(waiting).toEqual([expect.stringContaining(` ${V4}:${DROPPED_PORT} `)])
    expect(waiting).toEqual([expect.stringContaining(' cubic ')])
  })

  it('the hub has chosen CUBIC for whoever comes', async () => {
    const script = `import socket; s = socket.create_connection(("${V4}", 2222)); print("up", flush=True); input()`
    const client = site.spawn('python3', ['-c', script])
    started.push(client)
    await client.line(/^up$/)
    expect(sockets(site, 'state', 'established')).toEqual([expect.stringContaining(` ${DEFAULT} `)])
    await until('accepted', () => sockets(hubHost, 'state', 'established').length > 0)
    expect(sockets(hubHost, 'state', 'established')).toEqual([expect.stringContaining(' cubic ')])
  })

  it.each([V4, `[${V6}]`])('a tunnel to %s uses CUBIC at both ends', async (to) => {
    await reached(hconnect(`${to}:2222`))
    for (const at of [site, hubHost])
      expect(sockets(at, 'state', 'established')).toEqual([expect.stringContaining(' cubic ')])
  })
})
