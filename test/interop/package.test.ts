/**
 * The executables, as the Debian package has them and alone. Agent and hub run in a root directory of their own
 * (test/support/package-root.ts), the agent as an ordinary user with the capabilities of its file.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *                hconnect                              hybridge
 */
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Lab } from '#test/support/netns.ts'
import { type AsUser, PackageRoot } from '#test/support/package-root.ts'
import { Ping } from '#test/support/ping.ts'
import type { Running } from '#test/support/process.ts'
import { buildSite, FAR_ADDRESS, HUB_ADDRESS, type Site } from '#test/support/site.ts'

const BUILD_MS = 400_000
const AGENT = '/usr/bin/hconnect'
const HUB = '/usr/bin/hybridge'
const INSPECTOR_PORT = 9229
/** Becomes a program of the root as ann, with a SIGUSR1 that waits for it. */
const KEPT_SIGNAL = `import os, signal, sys
os.chroot(sys.argv[1])
os.chdir('/')
os.setgroups([int(sys.argv[2])])
os.setresgid(1000, 1000, 1000)
os.setresuid(1000, 1000, 1000)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.kill(os.getpid(), signal.SIGUSR1)
os.execve(sys.argv[3], sys.argv[3:], {})`

let work: string
let root: PackageRoot
/** Where `npm run package` has put what it makes. */
let made: string

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'package-'))
  chmodSync(work, 0o755) // for users that the hub drops to
  made = process.env['PACKAGE_DIRECTORY'] ?? join(work, 'package')
  if (process.env['PACKAGE_DIRECTORY'] === undefined)
    execFileSync(process.execPath, ['tool/package.mjs', '--fast', '--out', made], { stdio: 'pipe' })
  root = PackageRoot.make(join(made, readdirSync(made).find((name) => name.endsWith('.deb')) ?? ''))
}, BUILD_MS)
afterAll(() => {
  root.close()
  rmSync(work, { recursive: true, force: true })
})

function run(args: readonly string[], as: AsUser = {}, input = ''): SpawnSyncReturns<string> {
  return spawnSync('unshare', root.enter(args, as), { encoding: 'utf8', input, timeout: 30_000 })
}

describe('the executable with capabilities', () => {
  const ann = { user: 'ann' } as const
  const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'))
  const code = '/tmp/code.cjs'
  const library = '/tmp/code.so'

  beforeAll(() => {
    const says = 'require("fs").writeSync(2, "foreign code\\n")'
    writeFileSync(join(root.path, code), says)
    for (const name of ['bufferutil', 'utf-8-validate', 'cpu-features', 'koffi'])
      root.give(`/tmp/modules/${name}/index.js`, says)
    const c =
      '#include <unistd.h>\n__attribute__((constructor)) void f(void) { write(2, "foreign code\\n", 13); }'
    execFileSync('g++', ['-shared', '-fPIC', '-x', 'c', '-', '-o', join(root.path, library)], { input: c })
  })

  it.each([
    ['NODE_OPTIONS', `--require=${code}`, 'foreign code'],
    ['LD_PRELOAD', library, 'foreign code'],
    ['NODE_EXTRA_CA_CERTS', '/tmp/none', 'Ignoring extra certs'],
  ])('does not look at %s, as one without capabilities does', (name, value, evidence) => {
    const env = { [name]: value }
    const [plain, capable] = [
      run([HUB, '--version'], { ...ann, env }),
      run([AGENT, '--version'], { ...ann, env }),
    ]
    expect(plain.stderr).toContain(evidence)
    expect(capable).toMatchObject({ status: 0, stdout: `${version}\n` })
    expect(capable.stderr).not.toContain(evidence)
  })

  it('takes no modules from where the user says', () => {
    const { stderr } = run([AGENT, 'list', '-u', 'ann', '-s', '127.0.0.1:1'], {
      ...ann,
      env: { NODE_PATH: '/tmp/modules', HCONNECT_PASSWORD: 'x' },
    })
    expect(stderr).toMatch(/^hconnect: .*127\.0\.0\.1.*connection refused.*\n$/)
  })

  it.each([`--require=${code}`, '--inspect'])('takes no option of Node: %s', (option) => {
    const { status, stderr } = run([AGENT, option, 'list'], ann)
    expect(stderr).toMatch(/^hconnect: Unknown argument.*\n$/)
    expect(status).toBe(2)
  })
})

describe('agent and hub of the package', () => {
  let lab: Lab
  let site: Site
  const key = '/home/ann/id'

  beforeAll(async () => {
    lab = new Lab()
    site = buildSite(lab)
    await site.hub.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ann', '-f', join(work, 'id')])
    for (const suffix of ['', '.pub']) root.give(`${key}${suffix}`, readFileSync(join(work, `id${suffix}`)))
    run([HUB, 'user', 'add', 'ann', '--key', `${key}.pub`])
    const words = [
      'serve',
      '--bridge',
      'private0',
      '--attach',
      'private0=nic:lan',
      '--ssh',
      `${HUB_ADDRESS}:2222`,
    ]
    const hub = site.hub.spawn('unshare', root.enter([HUB, ...words]))
    await hub.line(/^ready ssh=/, { deadlineMs: 30_000 })
  })
  afterAll(() => lab.close())

  async function startAgent(...args: string[]): Promise<Running> {
    const words = `-u ann -b private0 -s ${HUB_ADDRESS} -n lan --identity ${key} --accept-new --json`.split(
      ' ',
    )
    const agent = site.site.spawn('unshare', root.enter([AGENT, ...words, ...args], { user: 'ann' }))
    await agent.line(/^\{"type":"connected"/, { deadlineMs: 30_000 })
    return agent
  }

  it('bridge, the agent as an ordinary user', async () => {
    const agent = await startAgent()
    const status = readFileSync(`/proc/${agent.pid}/status`, 'utf8')
    expect(status).toMatch(/^Uid:\s+1000\s+1000\s+1000\s+1000$/m)
    expect(status).toMatch(/^CapEff:\s+0000000000003000$/m)
    // It cannot be traced by its user.
    expect(statSync(`/proc/${agent.pid}/mem`).uid).toBe(0)
    const ping = await Ping.start(site.pc, FAR_ADDRESS)
    process.kill(agent.pid, 'SIGUSR1')
    await ping.answered()
    expect(site.site.exec('ss', '-Hltn')).not.toContain(`:${INSPECTOR_PORT}`)
    ping.stop()
    expect(await agent.stop()).toMatchObject({ code: 0 })
  })

  it('bridge with libpcap, in a process of the same file', async () => {
    const agent = await startAgent('--driver', 'pcap')
    await site.pc.reaches(FAR_ADDRESS)
    expect(await agent.stop()).toMatchObject({ code: 0 })
  })

  it('end when the signal that opens the inspector was there before them', async () => {
    const group = String(statSync(join(root.path, AGENT)).gid)
    const words = ['-c', KEPT_SIGNAL, root.path, group, AGENT, '--version']
    const { stdout, stderr, signal } = await site.pc.run('/usr/bin/python3', words, { check: false })
    expect({ stdout, signal }).toEqual({ stdout: '', signal: 'SIGKILL' })
    expect(stderr).toMatch(/^ended: SIGUSR1/m)
  })

  it('come with topologies to start', () => {
    const { status, stdout } = run([HUB, 'topology', 'check', '/usr/share/doc/hybridge/examples/ring'])
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^ring: 2 devices,/),
    })
  })

  it('drop privileges to the user that the package makes', () => {
    const users = site.hub
      .pids()
      .map((pid) => /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    const service = /^hybridge:x:(\d+):/m.exec(readFileSync(join(root.path, 'etc/passwd'), 'utf8'))?.[1]
    expect(users.filter((uid) => uid === service).length).toBe(2)
  })
})

describe('an executable alone', () => {
  it('has its native addons with it', () => {
    const data = join(work, 'data')
    const hub = join(made, 'hybridge')
    const env = { PATH: process.env['PATH'], HOME: work }
    const added = spawnSync(hub, ['user', 'add', 'ann', '--password-stdin', '--data', data], {
      encoding: 'utf8',
      input: 'a long password\n',
      env,
    })
    expect(added).toMatchObject({ status: 0, stdout: 'user ann added\n' })
    const listed = spawnSync(hub, ['user', 'list', '--json', '--data', data], { encoding: 'utf8', env })
    expect(JSON.parse(listed.stdout)).toMatchObject([{ name: 'ann', hasPassword: true }])
  })

  it('is the devices of a topology, too', async () => {
    const lab = new Lab()
    try {
      const machine = lab.namespace('machine')
      const hub = join(made, 'hybridge')
      const data = ['--data', join(lab.directory, 'data')]
      const serve = machine.spawn(hub, ['serve', '--ssh', '127.0.0.1:2222', ...data])
      await serve.line(/^ready ssh=/, { deadlineMs: 30_000 })
      await machine.run(hub, ['topology', 'start', 'examples/two-lans', ...data], { timeoutMs: 30_000 })
      const console = ['sh', '-c', `echo 'ping -c 1 -w 10 198.51.100.12' | "$@"`, 'sh', hub] as const
      const [shell, ...words] = [...console, 'device', 'console', 'pc1', ...data]
      expect((await machine.run(shell, words)).stdout).toContain('64 bytes from 198.51.100.12')
      expect(await serve.stop('SIGTERM', 30_000)).toMatchObject({ code: 0 })
    } finally {
      lab.close()
    }
  })
})
