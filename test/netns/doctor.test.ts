/**
 * `hconnect doctor` on machines that lack one thing each, and on one that lacks nothing.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *                  hconnect           (bridge)           hybridge
 *
 * In `site`, `ear` hears what `mouth` says: a veth pair of its own.
 */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { EXIT_ENDED, EXIT_OTHER, EXIT_USAGE } from '#agent/exit-codes.ts'
import { startAgent } from '#test/support/agent.ts'
import { runHconnect } from '#test/support/hconnect.ts'
import { loseLargePackets } from '#test/support/black-hole.ts'
import { Hub } from '#test/support/hub.ts'
import { Middle } from '#test/support/middle.ts'
import { Lab } from '#test/support/netns.ts'
import { nicSettings } from '#test/support/nic-settings.ts'
import type { Finished, RunOptions } from '#test/support/process.ts'
import { AGENT_COMMAND } from '#test/support/product.ts'
import { exec, outcome, sshLogin } from '#test/support/ssh-peer.ts'
import { buildSite, HUB_ADDRESS, type Site } from '#test/support/site.ts'

const ROOT = join(import.meta.dirname, '../..')

let lab: Lab
let site: Site
let hub: Hub
let knownHosts: string
let before: object

beforeAll(async () => {
  lab = new Lab()
  site = buildSite(lab)
  lab.link(site.site, 'mouth', site.site, 'ear')
  hub = await Hub.start(site.hub, { address: HUB_ADDRESS })
  knownHosts = join(lab.directory, 'known_hosts')
  before = nicSettings(site.site, 'mouth')
  await runHconnect(site.site, ['list', ...at(hub), '--accept-new'], { check: true })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

const at = (to: Hub, port = to.port): string[] => [
  '-u',
  to.user,
  '-s',
  `${to.address}:${port}`,
  '--identity',
  to.identity,
  '--known-hosts',
  knownHosts,
]

interface Verdict {
  status: string
  found: string
  remedy?: string
  facts: Record<string, unknown>
}

interface Report {
  code: number | null
  result: string
  checks: Record<string, Verdict>
  text: string
}

/** What the doctor finds on `site`, by check. */
async function examine(args: readonly string[], options: RunOptions = {}): Promise<Report> {
  return reportOf(await runHconnect(site.site, ['doctor', '--json', '--no-measure', ...args], options))
}

function reportOf({ code, stdout, stderr }: Finished): Report {
  expect(stderr).toBe('')
  const { checks, ...rest } = JSON.parse(stdout)
  const list: (Verdict & { name: string })[] = checks
  return { code, ...rest, text: stdout, checks: Object.fromEntries(list.map((one) => [one.name, one])) }
}

/** As an installation of its own, whose node_modules `change` takes something from. */
async function reportOfCopy(name: string, change: (modules: string) => void): Promise<Report> {
  const home = join(lab.directory, name)
  const modules = join(home, 'node_modules')
  mkdirSync(modules, { recursive: true })
  cpSync(join(ROOT, 'dist'), join(home, 'dist'), { recursive: true })
  copyFileSync(join(ROOT, 'package.json'), join(home, 'package.json'))
  for (const one of readdirSync(join(ROOT, 'node_modules')))
    if (!one.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', one), join(modules, one))
  change(modules)
  const args = [join(home, 'dist/hconnect.js'), 'doctor', '--json', '--no-measure', ...at(hub), '-n', 'mouth']
  return reportOf(await site.site.run('setsid', ['--wait', process.execPath, ...args], { check: false }))
}

describe('doctor', () => {
  it('finds nothing wrong where all is in order, and measures the way', async () => {
    const { code, stdout, stderr } = await runHconnect(
      site.site,
      ['doctor', ...at(hub), '-b', 'private0', '-n', 'mouth'],
      { env: { TERM: 'dumb' } },
    )
    expect({ code, stderr }).toEqual({ code: EXIT_ENDED, stderr: '' })
    expect(stdout).toMatch(/^ {2}ok {7}privilege {7}root, with CAP_NET_ADMIN and CAP_NET_RAW$/m)
    expect(stdout).toMatch(/^ {2}ok {7}promiscuous {5}works: frames from and to foreign addresses passed$/m)
    expect(stdout).toMatch(/^ {2}ok {7}bridges {9}private0$/m)
    const speed =
      / speed +round trip [\d.]+ ms; up ([\d.]+) ([GM])bit\/s, round trip then [^;]+; down ([\d.]+) ([GM])bit/
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(speed)
    expect(stdout).not.toContain('FAILED')
    expect(stdout).not.toContain('\u001B')
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(80)
    expect(nicSettings(site.site, 'mouth')).toEqual(before)
  })

  it('names rights that lack, an interface that is down, a host key that is not known', async () => {
    site.site.ip('link', 'set', 'lan', 'down')
    const args = ['doctor', '--json', '--no-measure', ...at(hub), '-n', 'lan']
    const finished = await site.site.run(
      'capsh',
      [
        '--drop=cap_net_raw,cap_net_admin',
        '--',
        '-c',
        'exec setsid --wait "$@"',
        '-',
        process.execPath,
        AGENT_COMMAND,
      ]
        .concat(args)
        .map((word) => (word === knownHosts ? join(lab.directory, 'none') : word)),
      { check: false },
    )
    site.site.ip('link', 'set', 'lan', 'up')
    const { code, checks } = reportOf(finished)
    expect(code).toBe(EXIT_OTHER)
    expect(checks['privilege']).toMatchObject({
      status: 'failed',
      found: expect.stringContaining('without CAP_NET_ADMIN and CAP_NET_RAW'),
    })
    expect(checks['carrier']).toMatchObject({ status: 'warning', facts: { isUp: false } })
    expect(checks['promiscuous']).toMatchObject({ status: 'skipped', found: 'needs "privilege"' })
    expect(checks['host-key']).toMatchObject({
      status: 'failed',
      found: expect.stringMatching(/is not known: ssh-ed25519 SHA256:/),
      facts: { software: 'Hybridge', known: false },
    })
    expect(checks['login']).toMatchObject({ status: 'skipped', found: 'needs "host key"' })
  })

  it('names an interface that is missing, and a key that is not that of the user', async () => {
    const stranger = join(lab.directory, 'stranger')
    await site.site.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', stranger])
    const args = [...at(hub), '-n', 'lan9'].map((word) => (word === hub.identity ? stranger : word))
    const { code, checks } = await examine(args)
    expect(code).toBe(EXIT_OTHER)
    expect(checks['nic']).toMatchObject({
      status: 'failed',
      found: expect.stringMatching(/^there is no interface lan9; there are .*\blan\b/),
    })
    expect(checks['mtu']).toMatchObject({ status: 'skipped', found: 'needs "interface"' })
    expect(checks['ssh']).toMatchObject({ status: 'ok', facts: { isStrict: true } })
    expect(checks['login']).toMatchObject({
      status: 'failed',
      found: expect.stringContaining('refuses user ann'),
    })
    expect(checks['bridges']?.status).toBe('skipped')
  })

  it('names an identity that is not there, a hub that is not there, and the uplink', async () => {
    const args = [...at(hub, 1), '-n', 'wan'].map((word) =>
      word === hub.identity ? '/nonexistent/key' : word,
    )
    const { code, checks } = await examine(args)
    expect(code).toBe(EXIT_OTHER)
    expect(checks['keys']).toMatchObject({
      status: 'failed',
      found: expect.stringContaining('/nonexistent/key'),
    })
    expect(checks['addresses']).toMatchObject({ status: 'warning', facts: { addresses: ['10.98.0.1/24'] } })
    expect(checks['route']).toMatchObject({ status: 'failed', facts: { carriers: ['wan'] } })
    const uplink = await examine([...at(hub, 1), '-n', 'wan', '--allow-uplink'])
    expect(uplink.checks['route']?.status).toBe('ok')
    expect(uplink.checks['reach']).toMatchObject({
      status: 'failed',
      found: expect.stringContaining('connection refused'),
    })
  })

  it('names a proxy that refuses, and passes one that does not', async () => {
    await Middle.httpProxy(site.site, 8888, [443])
    await Middle.httpProxy(site.site, 8889, [hub.port])
    const through = (port: number): Promise<Report> =>
      examine([...at(hub), '-n', 'mouth'], {
        env: { HCONNECT_PROXY: `http://ann:open-sesame@10.98.0.1:${port}` },
      })
    const { code, checks, text } = await through(8888)
    expect(code).toBe(EXIT_OTHER)
    expect(checks['way']?.found).toBe('through the http proxy 10.98.0.1:8888')
    expect(checks['reach']?.status).toBe('ok')
    expect(checks['passage']).toMatchObject({ status: 'failed', found: expect.stringContaining('403') })
    expect(text).not.toContain('open-sesame')
    const passed = await through(8889)
    expect(passed.code).toBe(EXIT_ENDED)
    expect(passed.checks['login']?.status).toBe('ok')
  })

  it('names a narrow path, and bindings that are missing', async () => {
    site.site.ip('link', 'set', 'wan', 'mtu', '1200')
    const slow = await reportOfCopy('slow', (modules) => {
      cpSync(join(modules, 'ssh2'), join(modules, 'copy'), { recursive: true, dereference: true })
      rmSync(join(modules, 'ssh2'))
      cpSync(join(modules, 'copy'), join(modules, 'ssh2'), { recursive: true })
      rmSync(join(modules, 'ssh2/lib/protocol/crypto/build'), { recursive: true })
    })
    site.site.ip('link', 'set', 'wan', 'mtu', '1500')
    expect(slow.code).toBe(EXIT_ENDED)
    expect(slow.checks['ssh-crypto']).toMatchObject({
      status: 'warning',
      remedy: expect.stringContaining(`in ${join(lab.directory, 'slow')}: npm rebuild ssh2`),
    })
    expect(slow.checks['path-mtu']).toMatchObject({ status: 'warning', facts: { pathMtuOctets: 1200 } })
    const bare = await reportOfCopy('bare', (modules) => rmSync(join(modules, 'koffi')))
    expect(bare.code).toBe(EXIT_OTHER)
    expect(bare.checks['koffi']).toMatchObject({ status: 'failed', found: expect.stringContaining('koffi') })
    expect(bare.checks['node']?.status).toBe('ok')
    expect(bare.checks['nic']).toMatchObject({ status: 'skipped', found: 'needs "koffi"' })
  })

  it('names a path that loses large packets, and looks at the hub past it', async () => {
    for (const machine of [site.site, site.hub]) machine.offloads('wan', 'off', ['tso', 'gso'])
    const mend = loseLargePackets(site.wan, 1300)
    const { code, checks } = await examine([...at(hub), '-n', 'mouth'])
    const told = await runHconnect(site.site, ['doctor', '--no-measure', ...at(hub), '-n', 'mouth'])
    mend()
    for (const machine of [site.site, site.hub]) machine.offloads('wan', 'on', ['tso', 'gso'])
    expect([code, told.code]).toEqual([EXIT_ENDED, EXIT_ENDED])
    expect(checks['path-mtu']).toMatchObject({
      status: 'warning',
      found: expect.stringMatching(
        /^large packets to or from 10\.98\.0\.2 are lost .* segments of 1200 octets$/,
      ),
      remedy: expect.stringContaining('ICMP "fragmentation needed" let through'),
      facts: { losesLargePackets: true },
    })
    expect([checks['login']?.status, checks['bridges']?.status]).toEqual(['ok', 'ok'])
    const text = told.stdout.replaceAll(/\s+/g, ' ')
    expect(text).toMatch(
      / warning path MTU large packets to or from .* -> have ICMP "fragmentation needed" let/,
    )
  })

  it('names a host key that has changed, and what it says to do helps', async () => {
    const [file, key] = [join(lab.directory, 'changed'), join(lab.directory, 'other')]
    await site.site.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key])
    writeFileSync(file, `# ours\n[${hub.address}]:${hub.port} ${readFileSync(`${key}.pub`, 'utf8')}`)
    const args = [...at(hub), '-n', 'mouth'].map((word) => (word === knownHosts ? file : word))
    const { code, checks } = await examine(args)
    const told = await runHconnect(site.site, ['doctor', '--no-measure', ...args, '--accept-new'])
    expect([code, told.code]).toEqual([EXIT_OTHER, EXIT_OTHER])
    const known = (await site.site.run('ssh-keygen', ['-lf', `${key}.pub`])).stdout.split(' ')[1]
    const shown = (await site.site.run('ssh-keygen', ['-lf', join(hub.data, 'ssh_host_ed25519_key')])).stdout
    expect(checks['host-key']).toMatchObject({
      status: 'failed',
      found: expect.stringContaining(
        `CHANGED: it now shows ssh-ed25519 ${shown.split(' ')[1]}, but ${file}:2`,
      ),
      facts: { software: 'Hybridge', known: false },
    })
    expect(checks['host-key']?.found).toContain(known)
    expect(checks['host-key']?.remedy).toContain('ssh-keygen -lf ssh_host_ed25519_key')
    expect(checks['login']).toMatchObject({ status: 'skipped', found: 'needs "host key"' })
    const text = told.stdout.replaceAll(/\s+/g, ' ')
    expect(text).toContain('FAILED host key the host key of 10.98.0.2:2222 has CHANGED')
    const remedy = /ssh-keygen -f (\S+) -R '(\S+)'/.exec(checks['host-key']?.found ?? '') ?? []
    await site.site.run('ssh-keygen', ['-f', String(remedy[1]), '-R', String(remedy[2])])
    expect((await examine([...args, '--accept-new'])).code).toBe(EXIT_ENDED)
  })

  it('gives away no secret', async () => {
    const password = 'pass-w0rd'
    const env = { HCONNECT_PASSWORD: password, HTTPS_PROXY: `http://ann:${password}@proxy.lab:3128` }
    const { checks, text } = await examine([...at(hub), '-n', 'mouth'], { env })
    expect(checks['way']?.found).toContain('http://***@proxy.lab:3128')
    expect(checks['keys']?.facts).toMatchObject({ hasPassword: true, files: [hub.identity] })
    expect(text).not.toContain(password)
    const body = readFileSync(hub.identity, 'latin1').split('\n').slice(1, -2)
    for (const line of body) expect(text).not.toContain(line)
  })

  it('tells of an agent, and with --restore puts back what one left that was killed', async () => {
    const settings = nicSettings(site.site, 'lan')
    const agent = await startAgent(site.site, { hub, nic: 'lan', interval: 0.2 })
    const busy = await examine(['-n', 'lan'])
    expect(busy.checks['others']).toMatchObject({ status: 'warning', facts: { isLeftChanged: false } })
    expect(busy.checks['login']).toMatchObject({ status: 'skipped', found: 'needs "hub"' })
    agent.child.kill('SIGKILL')
    await agent.exited
    const left = await examine(['-n', 'lan'])
    expect(left.checks['others']).toMatchObject({
      status: 'warning',
      facts: { pids: [], isLeftChanged: true },
    })
    const restored = await runHconnect(site.site, ['doctor', '--restore', '-n', 'lan'])
    expect(restored).toMatchObject({ code: EXIT_ENDED, stdout: 'lan: MTU 1500\n', stderr: '' })
    expect(nicSettings(site.site, 'lan')).toEqual(settings)
  })

  it('refuses what it cannot be asked', async () => {
    expect((await runHconnect(site.site, ['doctor', '--loud'])).code).toBe(EXIT_USAGE)
    expect((await runHconnect(site.site, ['doctor', '-s', 'a:b:c', '-u', 'ann'])).code).toBe(EXIT_USAGE)
  })
})

describe('hybridge measure', () => {
  it('is for one of a user at a time, and ends what says too much', async () => {
    const client = await sshLogin(site.site, hub)
    const first = await exec(client, 'hybridge measure down 10000')
    first.on('data', () => {})
    const second = await outcome(await exec(client, 'hybridge measure up'))
    expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining('you measure already') })
    first.end()
    await new Promise((resolve) => first.once('close', resolve))
    const third = await exec(client, 'hybridge measure up')
    third.write(Buffer.alloc(64, 0xff))
    expect(await outcome(third)).toMatchObject({ code: 1, stderr: expect.stringContaining('control record') })
    client.end()
  })
})
