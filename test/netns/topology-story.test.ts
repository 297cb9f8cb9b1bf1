/**
 * What somebody does with a topology, from its start to its stop: consoles, a LAN of his own on one of its bridges, devices
 * switched off and rebuilt. And the same of a hub that an ordinary user has started.
 *
 *   [pc eth0]---[lan  site  wan]---[wan  hub: two-lans, its pc1, gw, pc2]
 *    192.0.2.50
 */
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import { isRunning } from '#test/support/hub-processes.ts'
import { Lab, linkOf, type Namespace } from '#test/support/netns.ts'
import { Ping } from '#test/support/ping.ts'
import type { Running } from '#test/support/process.ts'
import { HUB_COMMAND } from '#test/support/product.ts'
import { RunningTopology } from '#test/support/topology.ts'

const HUB = '10.97.0.2'
const PC2 = '198.51.100.12'
const START = ['topology', 'start', 'examples/two-lans']
/** Nobody's in particular. */
const USER = 4711
const START_MS = 60_000
/** Ten seconds where nothing else runs. */
const STORY_MS = 120_000

let lab: Lab
let machine: Namespace
let site: Namespace
let pc: Namespace
let hub: Hub

beforeAll(async () => {
  lab = new Lab()
  machine = lab.namespace('hub')
  site = lab.namespace('site')
  pc = lab.namespace('pc')
  lab.link(pc, 'eth0', site, 'lan')
  lab.link(site, 'wan', machine, 'wan')
  site.address('wan', '10.97.0.1/24')
  machine.address('wan', `${HUB}/24`)
  pc.address('eth0', '192.0.2.50/24')
  pc.ip('route', 'add', 'default', 'via', '192.0.2.1')
  hub = await Hub.start(machine, { address: HUB })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(async () => {
  await hub.stop()
  lab.close()
})

const pids = (): number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)

/** Types a line, waits for what only its output shows. */
async function type(console: Running, line: string, output: RegExp): Promise<void> {
  const from = console.lines.length
  console.child.stdin.write(`${line}\n`)
  await console.line(output, { from, deadlineMs: 20_000 })
}

it(
  'is started, looked at, joined by a LAN, switched off and rebuilt, and stopped without a trace',
  async () => {
    const { stdout } = await hub.command(START, { timeoutMs: START_MS })
    const [, port = ''] = /^pc2 .* telnet 127\.0\.0\.1 (\d+) /m.exec(stdout) ?? []
    const agent = await startAgent(site, { hub, nic: 'lan', bridge: 'two-lans/private0', json: true })
    const ping = await Ping.start(pc, PC2)
    const telnet = machine.spawn('telnet', ['127.0.0.1', port])
    await type(telnet, 'echo kept >/root/note; ping -c 1 192.0.2.50', /^64 bytes from 192\.0\.2\.50: /)
    const login = ['-F', 'none', '-p', String(hub.port), '-i', hub.identity, '-o', 'BatchMode=yes']
    const keys = ['-o', 'StrictHostKeyChecking=accept-new', '-o', `UserKnownHostsFile=${hub.identity}.known`]
    const words = [...login, ...keys, `ann@${HUB}`, 'console', 'pc1']
    const ssh = await machine.run('ssh', words, { input: `ssh-keyscan -t ed25519 ${PC2}; hostname\n` })
    expect(ssh.stdout).toMatch(/^198\.51\.100\.12 ssh-ed25519 [^]*^pc1\r$/m)

    for (const [word, note] of [
      ['reset', 'kept'],
      ['rebuild', 'none'],
    ] as const) {
      const from = telnet.lines.length
      await hub.command(['device', word, 'two-lans/pc2'])
      await telnet.line(/^\[two-lans\/pc2 is back\]/, { from })
      await type(telnet, 'cat /root/note || echo no"ne"', new RegExp(`${note}\r?$`))
      await ping.answered()
    }
    ping.stop()
    await agent.stop()

    // Of each the process that holds it, and its first process and login shell.
    const topology = new RunningTopology(hub, 'two-lans')
    const devices = await Promise.all([1, 2, 3].map((number) => topology.device(number)))
    const namespaces = new Set(devices.map(({ pid }) => linkOf(`/proc/${pid}/ns/user`)))
    const inside = pids().filter((pid) => namespaces.has(linkOf(`/proc/${pid}/ns/user`)))
    expect(inside.length).toBeGreaterThanOrEqual(9)
    expect((await hub.command(['topology', 'stop', 'two-lans'])).stdout).toBe('two-lans is stopped\n')
    await telnet.exited
    expect(inside.filter(isRunning)).toEqual([])
    expect(readdirSync(join(hub.data, 'run')).filter((name) => name.startsWith('two-lans'))).toEqual([])
    expect(readFileSync(`/proc/${hub.process.pid}/mounts`, 'utf8')).not.toContain('two-lans')
  },
  STORY_MS,
)

it(
  'is there for an ordinary user too, where he may make TAPs',
  async () => {
    const home = join(lab.directory, 'home')
    mkdirSync(home)
    chownSync(home, USER, USER)
    const data = join(home, 'data')
    const tun = join(lab.directory, 'tun')
    machine.exec('mknod', tun, 'c', '10', '200')
    chmodSync(tun, 0o666)
    const serve = [HUB_COMMAND, 'serve', '--data', data, '--ssh', '127.0.0.1:0', '--bridge', 'own0']
    const as = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--bounding-set=-all']
    const withTun = ['-c', `mount --bind ${tun} /dev/net/tun && exec "$@"`, 'sh', ...as]
    const own = machine.spawn('sh', [...withTun, process.execPath, ...serve])
    await own.line(/^ready ssh=/, { deadlineMs: 15_000 })
    const command = (words: readonly string[], input = '') =>
      machine.run('setpriv', [...as.slice(1), process.execPath, HUB_COMMAND, ...words, '--data', data], {
        input,
        timeoutMs: START_MS,
      })
    const started = await command(START)
    expect(started.stdout.match(/^\w+ +host +running /gm)).toHaveLength(3)
    const console = await command(['device', 'console', 'pc1'], `id -u; ping -c 2 -i 0.2 ${PC2}; hostname\n`)
    expect(console.stdout).toMatch(/^0\r\n[^]*^64 bytes from 198\.51\.100\.12: [^]*^pc1\r$/m)
    const users = pids().filter((pid) => isRunning(pid) && isOf(pid, USER))
    expect(users.length).toBeGreaterThan(10)
    expect((await own.stop()).code).toBe(0)
    expect(users.filter(isRunning)).toEqual([])
  },
  STORY_MS,
)

function isOf(pid: number, user: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nUid:\t${user}\t`)
  } catch {
    return false // it ended meanwhile
  }
}
