/**
 * Users as the operator manages them and as they log in, and the command lines of both programs.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *    10.99.0.1         10.98.0.1      (bridge)       10.98.0.2           10.99.0.2
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import * as code from '#agent/exit-codes.ts'
import { runHconnect, spawnHconnect } from '#test/support/hconnect.ts'
import { pidOf } from '#test/support/hub-processes.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { Running, finish } from '#test/support/process.ts'
import type { Finished } from '#test/support/process.ts'
import { AGENT_COMMAND } from '#test/support/product.ts'
import { buildSite, HUB_ADDRESS } from '#test/support/site.ts'
import type { Site } from '#test/support/site.ts'

const PASSWORD = 'tr0ub4dor & three'
const ROOT = join(import.meta.dirname, '../..')
const HUB_PORT = `${HUB_ADDRESS}:2222`

let lab: Lab
let site: Site
let hub: Hub
let knownHosts: string

const path = (name: string): string => join(lab.directory, name)

beforeAll(async () => {
  lab = new Lab()
  site = buildSite(lab)
  hub = await Hub.start(site.hub, { address: HUB_ADDRESS })
  knownHosts = path('known_hosts')
  await runHconnect(site.site, [...list('ann', hub.identity), '--accept-new'], { check: true })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

async function makeKey(name: string, ...how: string[]): Promise<string> {
  const type = how.length > 0 ? how : ['-t', 'ed25519']
  await site.site.run('ssh-keygen', ['-q', ...type, '-N', '', '-C', name, '-f', path(name)])
  return path(name)
}

const list = (user: string, identity?: string): string[] => {
  const key = identity === undefined ? [] : ['--identity', identity]
  return ['list', '-u', user, '-s', HUB_PORT, '--known-hosts', knownHosts, ...key]
}
const join0 = (...more: string[]): string[] => {
  const key = ['--identity', hub.identity, '--known-hosts', knownHosts]
  return ['-u', 'ann', '-b', 'private0', '-s', HUB_PORT, '-n', 'lan', ...key, '--interval', '0.3', ...more]
}

/** The same arguments with another value of one option. */
const change = (args: readonly string[], option: string, value: string): string[] =>
  args.map((arg, i) => (args[i - 1] === option ? value : arg))

async function expectLogin(user: string, identity: string | undefined, works: boolean): Promise<void> {
  const env = identity === undefined ? { HCONNECT_PASSWORD: PASSWORD } : {}
  const { code: exit, stdout } = await runHconnect(site.site, list(user, identity), { env })
  expect(exit).toBe(works ? code.EXIT_ENDED : code.EXIT_REFUSED)
  expect(stdout).toBe(works ? 'private0\n' : '')
}

describe('hybridge user', () => {
  it('takes effect at the next login while the hub runs', async () => {
    const [one, two] = await Promise.all([makeKey('one'), makeKey('two', '-t', 'ecdsa')])
    await expectLogin('eve', one, false)
    await hub.command(['user', 'add', 'eve', '--key', `${one}.pub`])
    await expectLogin('eve', one, true)
    await expectLogin('eve', two, false)
    await hub.command(['user', 'key', 'add', 'eve', `${two}.pub`])
    await expectLogin('eve', two, true)
    await hub.command(['user', 'key', 'remove', 'eve', 'one'])
    await expectLogin('eve', one, false)
    await hub.command(['user', 'remove', 'eve'])
    await expectLogin('eve', two, false)
    const { stdout } = await hub.command(['user', 'list'])
    expect(stdout).toMatch(/^ann\s/m)
    expect(stdout).not.toContain('eve')
  })

  it('works while the hub does not run, and the hub then knows', async () => {
    const key = await makeKey('fred')
    await hub.stop()
    const fred = ['user', 'add', 'fred', '--key', `${key}.pub`, '--password-stdin']
    await hub.command(fred, { input: `${PASSWORD}\n` })
    const { stdout } = await hub.command(['user', 'list', '--json'])
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ name: 'fred', keys: 1, hasPassword: true }),
    )
    await hub.serve()
    await expectLogin('fred', key, true)
    await expectLogin('fred', undefined, true)
  })

  it('says in one line what is wrong', async () => {
    const wrong = async (...args: string[]): Promise<string> => {
      const { code: exit, stdout, stderr } = await hub.command(['user', ...args], { check: false })
      expect(exit).toBe(2)
      expect(stdout).toBe('')
      return stderr
    }
    expect(await wrong('add', 'ann', '--key', `${hub.identity}.pub`)).toMatch(
      /^hybridge: user ann exists already.*\n$/,
    )
    expect(await wrong('add', 'Bad Name', '--key', `${hub.identity}.pub`)).toMatch(
      /^hybridge: .*no user name.*\n$/,
    )
    expect(await wrong('add', 'gus', '--key', hub.identity)).toMatch(/^hybridge: .*\n$/)
    expect(await wrong('add', 'gus', '--key', path('absent'))).toMatch(
      /^hybridge: cannot read key .*no such file\n$/,
    )
    expect(await wrong('remove', 'nobody')).toMatch(/^hybridge: .*nobody.*\n$/)
  })
})

describe('a login of hconnect', () => {
  it('takes the password from the environment', async () => {
    await hub.command(['user', 'add', 'bob', '--password-stdin'], { input: `${PASSWORD}\n` })
    await expectLogin('bob', undefined, true)
  })

  it('uses the keys of an ssh-agent', async () => {
    const key = await makeKey('held')
    await hub.command(['user', 'add', 'hal', '--key', `${key}.pub`])
    const socket = path('agent.sock')
    const keeper = site.site.spawn('ssh-agent', ['-D', '-a', socket])
    await keeper.line(/SSH_AUTH_SOCK/)
    const env = { SSH_AUTH_SOCK: socket }
    await site.site.run('ssh-add', ['-q', await makeKey('stranger')], { env })
    await site.site.run('ssh-add', ['-q', key], { env })
    const { code: exit, stdout } = await runHconnect(site.site, list('hal'), { env })
    expect(exit).toBe(0)
    expect(stdout).toBe('private0\n')
    await keeper.stop()
  })

  it('remembers a new hub only when it is told to, and then knows it', async () => {
    const file = path('fresh_hosts')
    const args = ['list', '-u', 'ann', '-s', HUB_PORT, '--identity', hub.identity, '--known-hosts', file]
    const unknown = await runHconnect(site.site, args)
    expect(unknown.code).toBe(code.EXIT_HOST_KEY)
    expect(unknown.stderr).toMatch(
      /^hconnect: the host key of 10\.98\.0\.2:2222 is not known: ssh-ed25519 SHA256:.*--accept-new.*\n$/,
    )
    expect((await runHconnect(site.site, [...args, '--accept-new'])).code).toBe(0)
    expect(readFileSync(file, 'utf8')).toContain('[10.98.0.2]:2222 ssh-ed25519 ')
    expect((await runHconnect(site.site, args)).code).toBe(0)
    const { stdout } = await site.site.run('ssh-keygen', ['-F', '[10.98.0.2]:2222', '-f', file])
    expect(stdout).toContain('ssh-ed25519')
  })
})

const ended = async (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> => {
  const finished = await runHconnect(site.site, args, { env })
  expect(finished.code).toBe(code.EXIT_ENDED)
  return finished
}

const reports = (text: string): number => text.match(/^date: /gm)?.length ?? 0

describe('the command line of hconnect', () => {
  it('ends by itself after --count reports', async () => {
    const { stdout } = await ended(join0('--count', '2'))
    expect(reports(stdout)).toBe(2)
    expect(stdout).toMatch(/^Hybridge Connector Version: \d+\.\d+\.\d+$/m)
    expect(stdout).toMatch(/^Checking connection to 10\.98\.0\.2 {4}\[ok\]$/m)
    expect(stdout).toMatch(/^Starting Hybridge config connecting to 10\.98\.0\.2$/m)
  })

  it('is the guide’s, with its dashes, and its older spelling', async () => {
    const more = [
      '--identity',
      hub.identity,
      '--known-hosts',
      knownHosts,
      '--interval',
      '0.3',
      '--count',
      '1',
    ]
    const dashes = ['–u', 'ann', '–b', 'private0', '–s', HUB_PORT, '–n', 'lan']
    expect(reports((await ended([...dashes, ...more])).stdout)).toBe(1)
    const older = ['–c', 'ann', '–i', 'private0', '–s', HUB_PORT]
    expect(reports((await ended([...older, ...more], { HCONNECT_NIC: 'lan' })).stdout)).toBe(1)
    const given = ['-u', 'ann', '-b', 'private0', ...more]
    const env = { HCONNECT_NIC: 'lan', HCONNECT_HUB: HUB_PORT }
    expect(reports((await ended(given, env)).stdout)).toBe(1)
  })

  it('prints one JSON object a line with --json', async () => {
    const { stdout } = await ended(join0('--json', '--count', '2'))
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): { type: string } => JSON.parse(line))
    expect(lines.map(({ type }) => type)).toEqual(['start', 'check', 'connected', 'report', 'report', 'end'])
    const { stdout: bridges } = await ended([...list('ann', hub.identity), '--json'])
    expect(JSON.parse(bridges)).toMatchObject({ bridges: [{ name: 'private0' }] })
  })

  it('ends with 0 on SIGINT, after a last report', async () => {
    const agent = spawnHconnect(site.site, change(join0(), '--interval', '60'))
    await agent.line(/^The stats of the Hybridge connection will be displayed every 60 seconds/)
    const { code: exit, stdout } = await agent.stop('SIGINT')
    expect(exit).toBe(code.EXIT_ENDED)
    expect(reports(stdout)).toBe(1)
  })
})

const expectExit = async (expected: number, args: readonly string[], message: RegExp): Promise<void> => {
  const { code: exit, stderr } = await runHconnect(site.site, args)
  expect(stderr).toMatch(message)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(exit).toBe(expected)
}

describe('the exit code of hconnect', () => {
  it('1: anything else, such as a switch that does not answer', async () => {
    const fabric = pidOf(hub, 'fabric')
    process.kill(fabric, 'SIGSTOP')
    try {
      await expectExit(code.EXIT_OTHER, join0(), /the switch does not answer/)
    } finally {
      process.kill(fabric, 'SIGCONT')
    }
  })

  it('2: usage, and a configuration file with its line', async () => {
    await expectExit(code.EXIT_USAGE, ['--colour'], /^hconnect: .*colour.*--help/i)
    await expectExit(code.EXIT_USAGE, ['-u', 'ann', '-s', HUB_PORT], /^hconnect: no bridge given/)
    await expectExit(code.EXIT_USAGE, change(join0(), '-s', 'a:b:c'), /^hconnect: bad hub address/)
    await expectExit(
      code.EXIT_USAGE,
      change(join0(), '--identity', '/absent'),
      /^hconnect: cannot read the identity file/,
    )
    const home = path('config')
    mkdirSync(join(home, 'hybridge'), { recursive: true })
    writeFileSync(join(home, 'hybridge/hconnect.yaml'), 'user: ann\nbrigde: private0\n')
    const { code: exit, stderr } = await runHconnect(site.site, join0(), { env: { XDG_CONFIG_HOME: home } })
    expect(exit).toBe(code.EXIT_USAGE)
    expect(stderr).toMatch(/hconnect\.yaml:2:1: brigde: /)
  })

  it('3: the hub cannot be reached', async () => {
    await expectExit(
      code.EXIT_UNREACHABLE,
      change(join0(), '-s', `${HUB_ADDRESS}:2223`),
      /connection refused/,
    )
    await expectExit(
      code.EXIT_UNREACHABLE,
      change(join0(), '-s', '203.0.113.1'),
      /cannot reach the hub 203\.0\.113\.1:2222/,
    )
  })

  it('4: the user is refused', async () => {
    await expectExit(code.EXIT_REFUSED, change(join0(), '-u', 'nobody'), /refuses user nobody/)
  })

  it('5: there is no such bridge', async () => {
    await expectExit(code.EXIT_UNKNOWN_BRIDGE, change(join0(), '-b', 'nowhere'), /nowhere.*private0/)
  })

  it('6: there is no such interface', async () => {
    await expectExit(code.EXIT_NO_NIC, change(join0(), '-n', 'absent'), /^hconnect: .*absent/)
  })

  it('7: the interface may not be opened', async () => {
    const home = path('nobody')
    mkdirSync(home, { mode: 0o777 })
    const user = ['--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', '--bounding-set', '-all']
    const args = ['-u', 'ann', '-b', 'private0', '-s', HUB_PORT, '-n', 'lan']
    const { code: exit, stderr } = await site.site.run(
      'setpriv',
      [...user, process.execPath, AGENT_COMMAND, ...args],
      { check: false, env: { HOME: home, SSH_AUTH_SOCK: '' } },
    )
    expect(stderr).toMatch(/^hconnect: cannot open lan: .*CAP_NET_RAW/m)
    expect(exit).toBe(code.EXIT_NO_PRIVILEGE)
  })

  it('10: the interface carries the tunnel', async () => {
    await expectExit(
      code.EXIT_CARRIES_TUNNEL,
      change(join0(), '-n', 'wan'),
      /^hconnect: wan carries the connection/m,
    )
    expect(site.site.state('wan').promiscuity).toBe(0)
  })

  it('11: it is no hub that answers', async () => {
    const script = `require('net').createServer((s) => { s.on('error', () => {}); s.end('220 mail ESMTP\\r\\n'.repeat(2000)) }).listen(2525, '0.0.0.0', () => console.log('listening'))`
    const mail = site.hub.spawn(process.execPath, ['-e', script])
    await mail.line(/listening/)
    await expectExit(
      code.EXIT_PROTOCOL,
      change(join0(), '-s', `${HUB_ADDRESS}:2525`),
      /no SSH with the hub 10\.98\.0\.2:2525/,
    )
    await mail.stop()
  })
})

const npx = (...args: string[]): Promise<Finished> =>
  finish(new Running('npx', ['--no-install', ...args], { cwd: ROOT }))

describe('npx', () => {
  it('runs both programs', async () => {
    const { version }: { version: string } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect((await npx('hconnect', '--version')).stdout.trim()).toBe(version)
    expect((await npx('hybridge', '--version')).stdout.trim()).toBe(version)
    expect((await npx('hconnect', '--help')).stdout).toContain('Exit codes:')
    expect((await npx('hybridge', '--help')).stdout).toContain('hybridge serve')
  })

  it('runs both from the package that npm makes', async () => {
    const prefix = path('installed')
    mkdirSync(join(prefix, 'package'), { recursive: true })
    const pack = new Running('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', prefix], {
      cwd: ROOT,
    })
    const { stdout } = await finish(pack)
    const unpack = ['-xzf', join(prefix, stdout.trim()), '-C', prefix]
    await finish(new Running('tar', unpack))
    // In place of its dependencies, those of this checkout: nothing is downloaded.
    await finish(new Running('ln', ['-s', join(ROOT, 'node_modules'), join(prefix, 'package/node_modules')]))
    for (const name of ['hconnect', 'hybridge']) {
      const program = new Running(join(prefix, `package/dist/${name}.js`), ['--version'])
      expect((await finish(program)).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    }
  })
})
