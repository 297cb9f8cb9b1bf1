/**
 * Ways to the hub through programs of others. The firewall lets nothing through but HTTPS.
 *
 *   [pc eth0]---[lan  site  wan 10.97.0.1]---[10.97.0.2  middle  10.97.1.2]---[10.97.1.1 wan  hub  lan]---[eth0 far]
 *                               fd97::1       fd97::2  (firewall)  fd97:1::2    fd97:1::1
 */
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { EXIT_CERTIFICATE, EXIT_HOST_KEY, EXIT_UNREACHABLE } from '#agent/exit-codes.ts'
import { runHconnect, spawnHconnect } from '#test/support/hconnect.ts'
import { Hub } from '#test/support/hub.ts'
import { Middle } from '#test/support/middle.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { AGENT_COMMAND } from '#test/support/product.ts'

const NAME = 'hub.example'
const HUB = '10.97.1.1'
const HUB6 = '[fd97:1::1]'
const TUNNELS = 60_000

let lab: Lab
let site: Namespace
let pc: Namespace
let middle: Namespace
let hub: Hub
let directory: string
let sshd: Middle

let httpProxy: Middle
let socksProxy: Middle
let nginx: Middle
let authorities: string
let fingerprint: string

beforeAll(async () => {
  lab = new Lab()
  site = lab.namespace('site')
  pc = lab.namespace('pc')
  middle = lab.namespace('middle')
  const machine = lab.namespace('hub')
  const far = lab.namespace('far')
  lab.link(pc, 'eth0', site, 'lan')
  lab.link(site, 'wan', middle, 'site')
  lab.link(middle, 'hub', machine, 'wan')
  lab.link(machine, 'lan', far, 'eth0')
  for (const [at, nic, ...addresses] of [
    [pc, 'eth0', '10.99.0.1/24'],
    [far, 'eth0', '10.99.0.2/24'],
    [site, 'wan', '10.97.0.1/24', 'fd97::1/64'],
    // Routers look for their neighbours from link-local addresses.
    [middle, 'site', '10.97.0.2/24', 'fd97::2/64', 'fe80::2/64'],
    [middle, 'hub', '10.97.1.2/24', 'fd97:1::2/64', 'fe80::2/64'],
    [machine, 'wan', '10.97.1.1/24', '10.97.1.9/24', 'fd97:1::1/64'],
  ] as const)
    for (const address of addresses) at.address(nic, address)
  middle.sysctl({ 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 })
  middle.exec('nft', 'add table inet w; add chain inet w f { type filter hook forward priority 0; }')
  middle.exec('nft', 'add rule inet w f iifname site tcp dport != { 443, 8443 } reject with tcp reset')
  for (const [at, network, gateway] of [
    [site, '10.97.1.0/24', '10.97.0.2'],
    [site, 'fd97:1::/64', 'fd97::2'],
    [machine, '10.97.0.0/24', '10.97.1.2'],
    [machine, 'fd97::/64', 'fd97:1::2'],
  ] as const)
    at.ip('route', 'add', network, 'via', gateway)

  directory = mkdtempSync(join(lab.directory, 'ways-'))
  const { cert, key } = await makeCertificate()
  hub = await Hub.start(machine, {
    address: '[::]',
    attach: ['private0=nic:lan'],
    args: [
      '--https',
      '[::]:443',
      '--cert',
      cert,
      '--key',
      key,
      '--http',
      '127.0.0.1:8022',
      '--https-path',
      '/lab',
    ],
  })
  ;[sshd, httpProxy, socksProxy, nginx] = await Promise.all([
    Middle.sshd(middle, 22, `${hub.identity}.pub`, [
      'PermitOpen 10.97.1.1:2222 127.0.0.1:2022 [fd97:1::1]:2222',
    ]),
    Middle.httpProxy(middle, 3128, [443, 2222]),
    Middle.socksProxy(middle, 1080),
    Middle.nginx(machine, 8443, { cert, key }, '127.0.0.1:8022'),
    Middle.sshd(middle, 2022, `${hub.identity}.pub`, ['ListenAddress 127.0.0.1']),
  ])
}, TUNNELS)
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

/** An authority of the test's own, which signs for the hub by name and address. */
async function makeCertificate(): Promise<{ cert: string; key: string }> {
  const curve = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
  await openssl(`req -x509 ${curve} -subj /CN=authority -days 2 -keyout ca.key -out ca.pem`)
  authorities = join(directory, 'ca.pem')
  writeFileSync(join(directory, 'names'), `subjectAltName=DNS:${NAME},IP:${HUB},IP:fd97:1::1`)
  await openssl(`req ${curve} -subj /CN=${NAME} -keyout hub.key -out hub.csr`)
  await sign()
  return { cert: join(directory, 'hub.pem'), key: join(directory, 'hub.key') }
}

async function sign(): Promise<void> {
  const signer = '-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names'
  await openssl(`x509 -req -in hub.csr ${signer} -out hub.pem`)
  const print = await openssl('x509 -in hub.pem -noout -fingerprint -sha256')
  fingerprint = `SHA256:${print.trim().split('=')[1]}`
}

const openssl = async (line: string): Promise<string> =>
  (await site.run('openssl', line.split(' '), { cwd: directory })).stdout

/** What everybody gives; known_hosts are new each time. */
const basics = (): string[] => {
  const known = join(mkdtempSync(join(directory, 'known-')), 'known_hosts')
  return ['-u', 'ann', '--identity', hub.identity, '--known-hosts', known, '--accept-new']
}
const list = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  runHconnect(site, ['list', ...basics(), ...args], { env })

const proxied = (url: string): NodeJS.ProcessEnv => ({ HCONNECT_PROXY: url })
const HTTP = proxied('http://ann:open-sesame@10.97.0.2:3128')
const SOCKS = proxied('socks5://ann:open-sesame@10.97.0.2:1080')

describe('hconnect list', () => {
  it('does not get through without a way', async () => {
    expect(await list(['-s', HUB])).toMatchObject({
      code: EXIT_UNREACHABLE,
      stderr: expect.stringContaining('cannot reach the hub 10.97.1.1:2222: connection re'),
    })
  })

  it.each<[string, string, NodeJS.ProcessEnv?]>([
    ['a jump host', `-s ${HUB} --jump root@10.97.0.2`],
    ['two of them, by IPv6', `-s ${HUB6} --jump root@[fd97::2],root@127.0.0.1:2022`],
    ['an HTTP proxy', `-s ${HUB}`, HTTP],
    ['an HTTP proxy, by IPv6', `-s ${HUB6}`, proxied('http://ann:open-sesame@[fd97::2]:3128')],
    ['a SOCKS proxy', `-s ${HUB}`, SOCKS],
    ['a SOCKS proxy, by IPv6', `-s ${HUB6}`, proxied('socks5://ann:open-sesame@[fd97::2]:1080')],
    ['a SOCKS proxy and a jump host', `-s ${HUB} --jump root@127.0.0.1:2022`, SOCKS],
    ['HTTPS', `-s wss://${HUB}/lab --ca CA`],
    ['HTTPS, by IPv6', `-s wss://${HUB6}/lab --ca CA`],
    ['nginx', `-s wss://${HUB}:8443/lab --fingerprint PRINT`],
    ['an HTTP proxy and HTTPS', `-s wss://${HUB}/lab --ca CA`, { https_proxy: HTTP['HCONNECT_PROXY'] }],
  ])('gets through %s', async (_way, line, env = {}) => {
    expect(await list(words(line), env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('private0'),
    })
  })

  it.each<[string, string, NodeJS.ProcessEnv, number, string]>([
    [
      'a wrong password',
      `-s ${HUB}`,
      proxied('http://ann:wrong@10.97.0.2:3128'),
      EXIT_UNREACHABLE,
      'the proxy 10.97.0.2:3128 refuses user ann (4',
    ],
    [
      'a port that is not allowed',
      `-s ${HUB}:2223`,
      HTTP,
      EXIT_UNREACHABLE,
      'does not allow a connection to the hub',
    ],
    [
      'a proxy of another kind',
      `-s ${HUB}`,
      proxied('http://10.97.0.2:1080'),
      EXIT_UNREACHABLE,
      'the proxy 10.97.0.2:1080',
    ],
    [
      'a wrong SOCKS password',
      `-s ${HUB}`,
      proxied('socks5://ann:wrong@10.97.0.2:1080'),
      EXIT_UNREACHABLE,
      'refuses user ann (SOCKS5): wrong name or password',
    ],
    ['nothing behind the SOCKS proxy', `-s ${HUB}:2223`, SOCKS, EXIT_UNREACHABLE, 'connection refused'],
    [
      'a forbidden target',
      `-s ${HUB}:2223 --jump root@10.97.0.2`,
      {},
      EXIT_UNREACHABLE,
      'its sshd must allow it',
    ],
    ['an unknown authority', `-s wss://${HUB}/lab`, {}, EXIT_CERTIFICATE, 'use --fingerprint SHA256:'],
    [
      'another name',
      `-s wss://10.97.1.9/lab --ca CA`,
      {},
      EXIT_CERTIFICATE,
      'it is for another name (DNS:hub.example',
    ],
    [
      'a wrong fingerprint',
      `-s wss://${HUB}/lab --fingerprint SHA256:${'ab'.repeat(32)}`,
      {},
      EXIT_CERTIFICATE,
      'has another fingerprint than --fingerprint says: SHA256:',
    ],
    ['a wrong path', `-s wss://${HUB}/other --ca CA`, {}, EXIT_UNREACHABLE, 'has no hub on this path (404'],
  ])('explains %s', async (_what, line, env, code, message) => {
    expect(await list(words(line), env)).toMatchObject({
      code,
      stdout: '',
      stderr: expect.stringContaining(message),
    })
  })

  it('knows each jump host by its own key', async () => {
    const args = ['-s', HUB, '--jump', 'root@10.97.0.2', '-u', 'ann', '--identity', hub.identity]
    const file = join(directory, 'known_hosts')
    expect(await runHconnect(site, ['list', ...args, '--known-hosts', file])).toMatchObject({
      code: EXIT_HOST_KEY,
      stderr: expect.stringContaining('the host key of 10.97.0.2:22 is not known'),
    })
  })
})

const words = (line: string): string[] =>
  line.replace('CA', authorities).replace('PRINT', fingerprint).split(' ')

describe("ssh's configuration", () => {
  it('names the jump host, its key and its files', async () => {
    const ssh = mkdtempSync(join(directory, 'ssh-'))
    const home = mkdtempSync(join(directory, 'home-'))
    const key = `IdentityFile ${hub.identity}\nIdentitiesOnly yes\nUserKnownHostsFile ${ssh}/known`
    writeFileSync(
      join(ssh, 'config'),
      `Host lab\nHostName ${HUB}\nUser ann\nHostKeyAlias the-lab\nProxyJump gate\n${key}\n` +
        `Host gate\nHostName 10.97.0.2\nUser root\nHostKeyAlias the-gate\n${key}\n`,
    )
    // ssh looks into the home of the user who runs the tests, whatever HOME says.
    const own = join(userInfo().homedir, '.ssh')
    const line = `mount --bind "$0" "$4" && HOME="$1" exec setsid --wait "$2" "$3" list -s lab:2222 --accept-new`
    const made = mkdirSync(own, { recursive: true, mode: 0o700 })
    try {
      const args = ['-c', line, ssh, home, process.execPath, AGENT_COMMAND, own]
      expect(await site.run('sh', args, { env: { SSH_AUTH_SOCK: '' } })).toMatchObject({
        stdout: expect.stringContaining('private0'),
      })
    } finally {
      if (made !== undefined) rmdirSync(own)
    }
    const known = readFileSync(join(ssh, 'known'), 'utf8')
    expect(known).toMatch(/^the-gate ssh-ed25519 /m)
    expect(known).toMatch(/^the-lab ssh-ed25519 /m)
  })
})

describe('the hub', () => {
  it('knows who comes through nginx', async () => {
    expect(await list(words(`-s wss://${HUB}:8443/lab --ca CA`))).toMatchObject({ code: 0 })
    await hub.process.line(/ann logged in from 10\.97\.0\.1"/)
  })

  it('takes a new certificate while it runs', async () => {
    const before = hub.process.lines.length
    const old = fingerprint
    await sign()
    expect(fingerprint).not.toBe(old)
    await hub.process.line(new RegExp(`certificate ${fingerprint},`), { from: before })
    const line = `-s wss://${HUB}/lab --fingerprint PRINT`
    await expect.poll(async () => (await list(words(line))).code, { timeout: 20_000 }).toBe(0)
  })
})

describe('a tunnel', () => {
  it.each<[string, () => Middle, string, NodeJS.ProcessEnv]>([
    ['jump hosts', () => sshd, `-s ${HUB} --jump root@10.97.0.2,root@127.0.0.1:2022`, {}],
    ['an HTTP proxy', () => httpProxy, `-s ${HUB}`, HTTP],
    ['a SOCKS proxy', () => socksProxy, `-s ${HUB}`, SOCKS],
    ['nginx', () => nginx, `-s wss://${HUB}:8443/lab --ca CA`, {}],
  ])(
    'through %s carries frames, and comes back the same way after a cut',
    async (_way, between, line, env) => {
      const agent = spawnHconnect(
        site,
        ['-b', 'private0', '-n', 'lan', '--json', ...basics(), ...words(line)],
        env,
      )
      await agent.line(/"type":"connected"/, { deadlineMs: 15_000 })
      await pc.reaches('10.99.0.2')
      await between().cut()
      await agent.line(/"type":"disconnected"/, { deadlineMs: 15_000 })
      await between().start()
      await agent.line(/"type":"connected".*"reconnects":1/, { deadlineMs: 20_000 })
      await pc.reaches('10.99.0.2')
      expect(await agent.stop()).toMatchObject({ code: 0 })
    },
    TUNNELS,
  )
})
