import { spawnSync } from 'node:child_process'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serveRpc } from '#net/base/rpc.ts'
import { verifyPassword } from '#hub/accounts/password.ts'
import { AccountStore } from '#hub/accounts/store.ts'
import { describeHybridge, run } from '#hub/command/run.ts'
import { placesOf } from '#net/cli/words.ts'
import { optionsOfHelp } from '#test/support/help.ts'

class Sink extends Writable {
  text = ''
  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk)
    done()
  }
}

let directory: string
let data: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-run-'))
  data = join(directory, 'lab')
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Runs a command in this process, `--data` given by the environment. */
async function hybridge(
  args: string,
  options: { stdin?: NodeJS.ReadableStream; env?: NodeJS.ProcessEnv } = {},
) {
  const stdout = new Sink()
  const stderr = new Sink()
  const code = await run(args === '' ? [] : args.split(' '), {
    stdin: options.stdin ?? Readable.from([]),
    stdout,
    stderr,
    env: { HYBRIDGE_DATA: data, ...options.env },
    version: '1.2.3',
    passwordCost: { memoryCost: 64, timeCost: 1, parallelism: 1 },
  })
  return { code, out: stdout.text, err: stderr.text }
}

/** A terminal on which these lines are typed, each after a prompt. */
function terminal(...lines: string[]) {
  const stream = new PassThrough()
  const modes: boolean[] = []
  const tty = Object.assign(stream, {
    isTTY: true,
    setRawMode: (raw: boolean) => {
      modes.push(raw)
      const line = raw ? lines.shift() : undefined
      if (line !== undefined) setImmediate(() => stream.write(line))
    },
  })
  return { tty, modes }
}

function keyFile(name = 'ann.pub'): string {
  const blob = Buffer.concat([
    Buffer.from([0, 0, 0, 11]),
    Buffer.from('ssh-ed25519'),
    Buffer.from([0, 0, 0, 32]),
    Buffer.alloc(32, name),
  ])
  const file = join(directory, name)
  writeFileSync(file, `ssh-ed25519 ${blob.toString('base64')} ${name}\n`)
  return file
}

describe('hybridge user', () => {
  it('adds, lists and removes users and keys', async () => {
    expect(await hybridge('user list')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no data directory'),
    })
    const added = await hybridge(`user add ann --key ${keyFile()}`)
    expect(added).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/^user ann added with key SHA256:\S+\n$/),
    })
    expect(
      await hybridge('user add bob --password-stdin', { stdin: Readable.from(['long ', 'enough\r\nrest']) }),
    ).toMatchObject({
      code: 0,
      out: 'user bob added\n',
    })
    const today = new Date().toISOString().slice(0, 10)
    expect((await hybridge('user list')).out).toBe(
      `user  password  keys  created\nann   no           1  ${today}\nbob   yes          0  ${today}\n`,
    )
    expect(JSON.parse((await hybridge('user list --json')).out)).toMatchObject([
      { name: 'ann', hasPassword: false, keys: 1 },
      { name: 'bob', hasPassword: true, keys: 0 },
    ])
    expect((await hybridge(`user key add bob ${keyFile('lap.pub')}`)).code).toBe(0)
    expect((await hybridge('user key list bob')).out).toMatch(/^SHA256:\S{43} ssh-ed25519 lap\.pub\n$/)
    expect((await hybridge('user key remove bob lap.pub')).code).toBe(0)
    expect((await hybridge('user key list bob --json')).out).toBe('[]\n')
    expect(await hybridge('user remove ann')).toMatchObject({ code: 0, out: 'user ann removed\n' })
    expect((await hybridge('user list')).out).not.toContain('ann')
    const store = AccountStore.open(join(data, 'accounts.db'))
    expect(await verifyPassword(store.passwordHash('bob') ?? '', 'long enough')).toBe(true)
    store.close()
  })

  it('asks twice for a password on a terminal, without echo', async () => {
    const { tty, modes } = terminal('secret wird\u007f\u007frd\r', 'secret wird\r')
    const result = await hybridge('user add ann', { stdin: tty })
    expect(result).toMatchObject({ code: 0, err: 'Password for ann: \nOnce more: \n' })
    expect(modes).toEqual([true, false, true, false])
    expect(
      await hybridge('user add bob', { stdin: terminal('secret one\r', 'secret two\r').tty }),
    ).toMatchObject({
      code: 2,
      err: expect.stringContaining('the two passwords differ'),
    })
    expect((await hybridge('user add bob', { stdin: terminal('\u0003').tty })).code).toBe(2)
  })

  it.each([
    ['user add ann', 'give --key FILE.pub, --password-stdin, or run this on a terminal'],
    ['user add Ann', '"Ann" is no user name'],
    ['user add ann --key /nonexistent.pub', 'cannot read key /nonexistent.pub: no such file'],
    ['user add ann --password-stdin', 'no password on standard input'],
    ['user add ann --pasword-stdin', 'Unknown argument'],
    ['user', 'which of: user add'],
    ['user key', 'which of: key add'],
    ['user frob', 'Unknown'],
    ['', 'no command given'],
    ['show', 'which of: show ports'],
    ['frob', 'Unknown'],
    ['topology start', 'expected hybridge topology start <path> (see hybridge topology start --help)'],
    ['device reset pc1 now', 'Unknown argument: now (see hybridge device reset --help)'],
    ['serve --data', 'Not enough arguments following: data'],
    ['serve --attach x=nic:eth1', 'cannot attach nic:eth1 to x: no such bridge (add --bridge x)'],
    ['serve --config /nonexistent.yaml', 'cannot read configuration /nonexistent.yaml'],
    ['serve --log loud', 'Invalid values'],
  ])('refuses `hybridge %s` as wrong use', async (args, message) => {
    const { code, out, err } = await hybridge(args)
    expect(err).toContain(message)
    expect(err).toMatch(/^hybridge: /)
    expect(err).not.toMatch(/\n {4}at /)
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })

  it('refuses a weak password and a foreign directory', async () => {
    const weak = await hybridge('user add ann --password-stdin', { stdin: Readable.from(['short\n']) })
    expect(weak).toMatchObject({ code: 2, err: 'hybridge: the password has fewer than 8 characters\n' })
    mkdirSync(data)
    writeFileSync(join(data, 'letter.txt'), '')
    const foreign = await hybridge(`user add ann --key ${keyFile()}`)
    expect(foreign).toMatchObject({ code: 1, err: expect.stringContaining('it holds other files') })
  })
})

const counters = {
  inFrames: 27,
  inOctets: 2358,
  outFrames: 20,
  outOctets: 1904,
  inDrops: {},
  outDrops: { 'queue-full': 3 },
}
const port = {
  bridge: 'private0',
  number: 1,
  name: 'nic:eth1',
  description: '',
  up: true,
  mode: 'mode=transparent',
  untaggedVlan: 0,
  qnq: 0,
  strict: 0,
  maxFrame: 9216,
  settings: {},
  counters,
}

const allTransparent = { bridge: 'private0', transparent: [1], vlans: [] }

describe('hybridge show', () => {
  it('prints what the hub answers, as text and as JSON', async () => {
    mkdirSync(join(data, 'run'), { recursive: true })
    const asked: unknown[] = []
    const server = await serveRpc(join(data, 'run/control.sock'), {
      ports: (params) => {
        asked.push(params)
        return { rows: [port], away: [] }
      },
      macs: () => ({
        rows: [
          {
            bridge: 'private0',
            address: '02:00:00:00:00:01',
            vlan: 0,
            port: 1,
            ageSeconds: 2.4,
            tpid: 33024,
          },
        ],
        away: [{ topology: 'two', reason: 'it does not answer' }],
      }),
      vlans: () => ({ rows: [allTransparent], away: [] }),
    })
    expect((await hybridge('show ports private0')).out).toBe(
      [
        'private0',
        'port  name      state  in frames  octets  out frames  octets',
        '   1  nic:eth1  up            27    2358          20    1904',
        '      drops out: queue-full 3',
        '',
      ].join('\n'),
    )
    expect(JSON.parse((await hybridge('show ports --json')).out)).toEqual([port])
    expect(asked).toEqual([{ bridge: 'private0', partial: true }, { partial: true }])
    expect(await hybridge('show macs')).toEqual({
      code: 0,
      out: 'private0\naddress            vlan  port  age\n02:00:00:00:00:01     0     1  2 s\n',
      err: 'hybridge: bridges of two are left out: it does not answer\n',
    })
    expect((await hybridge('show vlans private0')).out).toBe(
      'private0\nno VLANs seen or named\ntransparent, in every VLAN: 1\n',
    )
    expect(JSON.parse((await hybridge('show vlans --json')).out)).toEqual([allTransparent])
    await server.close()
    expect(await hybridge('show ports')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no hub runs there'),
    })
  })

  it("passes on the hub's refusal in one line", async () => {
    const { ProtocolError } = await import('#net/base/errors.ts')
    mkdirSync(join(data, 'run'), { recursive: true })
    const server = await serveRpc(join(data, 'run/control.sock'), {
      ports: () => {
        throw new ProtocolError('unknown-bridge', 'no bridge \u001b[2Jx')
      },
      macs: () => 'nonsense',
    })
    expect(await hybridge('show ports x')).toMatchObject({ code: 1, err: 'hybridge: no bridge \ufffd[2Jx\n' })
    expect((await hybridge('show macs')).err).toContain("cannot read the hub's answer")
    await server.close()
  })

  it('takes a setting that the hub finds wrong for wrong use', async () => {
    const { ProtocolError } = await import('#net/base/errors.ts')
    mkdirSync(join(data, 'run'), { recursive: true })
    const server = await serveRpc(join(data, 'run/control.sock'), {
      'bridge.set': () => {
        throw new ProtocolError('bad-setting', 'rstp=maybe is not valid: it is on or off')
      },
    })
    expect(await hybridge('bridge set private0 rstp=maybe')).toMatchObject({
      code: 2,
      err: 'hybridge: rstp=maybe is not valid: it is on or off\n',
    })
    await server.close()
  })

  it('ends without a word when a pipe is read no more', () => {
    const words = `'${process.execPath}' --import tsx hub/main.ts --help | true; exit "\${PIPESTATUS[0]}"`
    const { status, stderr } = spawnSync('bash', ['-c', words], { encoding: 'utf8', timeout: 9000 })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

describe('hybridge bridge', () => {
  it('sends settings as they are written, and lists what is set', async () => {
    mkdirSync(join(data, 'run'), { recursive: true })
    const asked: unknown[] = []
    const note =
      (op: string) =>
      (params: object): void => {
        asked.push({ op, ...params })
      }
    const server = await serveRpc(join(data, 'run/control.sock'), {
      'port.set': note('port.set'),
      'bridge.set': note('bridge.set'),
      'counters.reset': note('counters.reset'),
      bridges: () => ({
        rows: [{ name: 'private0', ports: 2, settings: { ageing: '60' } }],
        away: [],
      }),
    })
    for (const words of [
      'port set private0 3 mode=trunk,native=1,tagged=10+20',
      'set private0 ageing=60',
      'port reset private0',
      'port reset private0 3',
    ])
      expect(await hybridge(`bridge ${words}`)).toMatchObject({ code: 0, err: '' })
    expect(asked).toEqual([
      { op: 'port.set', bridge: 'private0', port: 3, settings: { mode: 'trunk,native=1,tagged=10+20' } },
      { op: 'bridge.set', bridge: 'private0', settings: { ageing: '60' } },
      { op: 'counters.reset', bridge: 'private0' },
      { op: 'counters.reset', bridge: 'private0', port: 3 },
    ])
    expect((await hybridge('bridge list')).out).toBe(
      'bridge    ports  settings\nprivate0      2  ageing=60\n',
    )
    await server.close()
  })

  it('refuses what is no setting or no port', async () => {
    for (const [words, why] of [
      ['port set private0 3 mode', '"mode" is no SETTING=VALUE'],
      ['port set private0 3 a=1 a=2', 'a is given twice'],
      ['port set private0 0 a=1', '"0" is no port'],
      ['port set private0 1025 a=1', '"1025" is no port'],
    ] as const)
      expect(await hybridge(`bridge ${words}`)).toMatchObject({ code: 2, err: expect.stringContaining(why) })
  })
})

describe('hybridge', () => {
  it('documents itself, exit codes included', async () => {
    const { code, out } = await hybridge('--help')
    expect(code).toBe(0)
    expect(out).toContain('Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration.')
    for (const command of [
      'serve',
      'user',
      'user add',
      'user remove',
      'user list',
      'user key add',
      'show ports',
      'show vlans',
      'bridge list',
      'bridge set',
      'bridge port set',
      'bridge port reset',
    ]) {
      const help = (await hybridge(`${command} --help`)).out
      expect(help).toContain('--data')
      expect(help.split('\n').every((line) => line.length <= 80)).toBe(true)
      expect(help).toContain('Examples:')
    }
    expect((await hybridge('--version')).out).toBe('1.2.3\n')
  })

  it('has every option of its help in manual page and completions, and no other', async () => {
    const { stdin, stdout, stderr, env } = process
    for (const { command, options } of placesOf(
      describeHybridge({ stdin, stdout, stderr, env, version: '' }),
    )) {
      const words = command.path.slice(1)
      const { out } = await hybridge([...words, '--help'].join(' '))
      const described = options.flatMap(({ names }) => names)
      expect({ words, names: optionsOfHelp(out) }).toEqual({ words, names: described.sort() })
      for (const child of command.commands) expect(out).toContain(child.path.join(' '))
    }
  })

  it('prints completion scripts', async () => {
    expect(await hybridge('completion fish')).toMatchObject({
      code: 0,
      out: expect.stringContaining('complete -c'),
    })
    expect(await hybridge('completion tcsh')).toMatchObject({ code: 2 })
  })

  it('prints a schema of its configuration file', async () => {
    const schema: unknown = JSON.parse((await hybridge('config schema')).out)
    expect(schema).toMatchObject({
      type: 'object',
      properties: { attach: { type: 'array', items: { type: 'string' } } },
    })
  })

  it('runs as a program', () => {
    const version = execFileSync(process.execPath, ['--import', 'tsx', 'hub/main.ts', '--version'], {
      encoding: 'utf8',
    })
    expect(version).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
