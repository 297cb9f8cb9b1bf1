import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

import ssh2 from 'ssh2'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { Credentials, type CredentialOptions } from '#agent/login/credentials.ts'
import { dial, type DialOptions } from '#agent/link/dial.ts'
import {
  EXIT_CARRIES_TUNNEL,
  EXIT_HOST_KEY,
  EXIT_PROTOCOL,
  EXIT_REFUSED,
  EXIT_UNREACHABLE,
  ExitError,
} from '#agent/exit-codes.ts'
import { HostKeyCheck } from '#agent/login/host-key.ts'
import { listBridges } from '#agent/bridge-list.ts'
import { run } from '#agent/run-command.ts'
import type { Ask } from '#agent/login/terminal.ts'

const USER = 'ann'
const PASSWORD = 'a secret'
let dir = ''
const files: Record<string, string> = {}
const file = (name: string): string => join(dir, name)
const publicKey = (name: string): Buffer =>
  Buffer.from(readFileSync(file(`${name}.pub`), 'utf8').split(' ')[1] ?? '', 'base64')
const logged: string[] = []
const log = (text: string): void => void logged.push(text)

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'dial-'))
  for (const name of ['host', 'other-host', 'client', 'stranger'])
    execFileSync('ssh-keygen', ['-q', '-N', '', '-t', 'ed25519', '-f', file(name)])
  execFileSync('ssh-keygen', ['-q', '-N', 'open sesame', '-t', 'ed25519', '-f', file('locked')])
  execFileSync('ssh-keygen', ['-q', '-N', '', '-t', 'rsa', '-f', file('host-rsa')])
  files['host'] = readFileSync(file('host'), 'utf8')
})
afterAll(() => rmSync(dir, { recursive: true }))

function portOf(listening: { address(): AddressInfo | string | null }): number {
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
  logged.length = 0
})

/** A small hub: one user, his keys and his password; commands answer by `commands`. */
async function hub(
  options: { keys?: string[]; hostKeys?: string[]; rekey?: boolean; ciphers?: ssh2.CipherAlgorithm[] } = {},
): Promise<number> {
  const { keys = ['client'] } = options
  const server = new ssh2.Server(
    {
      hostKeys: (options.hostKeys ?? ['host']).map((name) => readFileSync(file(name))),
      ...(options.ciphers ? { algorithms: { cipher: options.ciphers } } : {}),
    },
    (client) => {
      client.on('error', () => {})
      client.on('authentication', (context) => {
        if (context.username !== USER) return context.reject(['publickey', 'password'])
        if (context.method === 'password' && context.password === PASSWORD) return context.accept()
        if (context.method === 'publickey' && keys.some((name) => publicKey(name).equals(context.key.data)))
          return context.accept()
        return context.reject(['publickey', 'password'])
      })
      client.on('ready', () => {
        if (options.rekey === true) client.rekey()
      })
      client.on('session', (accept) => {
        accept().on('exec', (yes, _no, { command }) => {
          const channel = yes()
          if (command === 'hybridge list --json')
            channel.write('[{"name":"private0"},{"name":"lab/a","ports":2}]\n')
          else channel.stderr.write(`no ${command}\n`)
          channel.exit(command.startsWith('hybridge list') ? 0 : 1)
          channel.end()
        })
      })
    },
  )
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  closers.push(() => server.close())
  return portOf(server)
}

type Options = Partial<CredentialOptions & DialOptions & { acceptNew: boolean; known: string }>

/** Dials with nothing but what is given, and closes the connection after the test. */
async function dialled(port: number, options: Options = {}) {
  const credentials = options.credentials ?? new Credentials(credentialOptions(options))
  const connection = await dial({
    host: '127.0.0.1',
    port,
    user: options.user ?? USER,
    credentials,
    hostKeys: options.hostKeys ?? hostKeys(port, options),
    ask: options.ask,
    lastRoundTripMs: options.lastRoundTripMs,
    signal: options.signal ?? new AbortController().signal,
    onAddress: options.onAddress,
    ...(options.onSocket ? { onSocket: options.onSocket } : {}),
  })
  closers.push(() => connection.destroy())
  return connection
}

const credentialOptions = (options: Options): CredentialOptions => ({
  user: options.user ?? USER,
  identity: options.identity,
  identityFiles: options.identityFiles ?? [],
  agentSocket: options.agentSocket,
  password: options.password,
  log,
})

function hostKeys(port: number, options: Options = {}): HostKeyCheck {
  const known = options.known ?? file(`known-${port}`)
  if (options.known === undefined && options.acceptNew === undefined) trust(known, port, 'host')
  return new HostKeyCheck({
    host: '127.0.0.1',
    port,
    files: [known],
    acceptNew: options.acceptNew ?? false,
    log,
  })
}

function trust(known: string, port: number, ...names: string[]): void {
  const line = (name: string): string =>
    `[127.0.0.1]:${port} ${readFileSync(file(`${name}.pub`), 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ')}\n`
  writeFileSync(known, names.map(line).join(''))
}

/** Answers questions in turn, and keeps them. */
function answers(...list: string[]): { ask: Ask; questions: string[] } {
  const questions: string[] = []
  return {
    questions,
    ask: (question) => {
      questions.push(question)
      return Promise.resolve(list.shift() ?? '')
    },
  }
}

const failure = async (attempt: Promise<unknown>): Promise<ExitError> => {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof ExitError) return error
  throw new Error(`expected an ExitError, got ${String(error)}`)
}

describe('reaching the hub', () => {
  it('says when nobody listens, and when there is no such host', async () => {
    const refused = await failure(dialled(1))
    expect(refused).toMatchObject({ exitCode: EXIT_UNREACHABLE })
    expect(refused.message).toContain('cannot reach the hub 127.0.0.1:1: connection refused')
  })

  it('tells the address before it is dialled', async () => {
    const port = await hub()
    const told: unknown[] = []
    await dialled(port, { password: PASSWORD, onAddress: (...address) => told.push(address) })
    expect(told).toEqual([['127.0.0.1', port]])
  })

  it('gives up on a hub that says nothing, in the time of a reconnect', async () => {
    const sockets: Socket[] = []
    const mute = await listen((socket) => sockets.push(socket))
    const began = performance.now()
    const error = await failure(dialled(mute, { lastRoundTripMs: -350 }))
    expect(error.message).toContain('does not answer in time')
    expect(error.exitCode).toBe(EXIT_UNREACHABLE)
    expect(performance.now() - began).toBeLessThan(3000)
  })

  it('says when the other side is no SSH server', async () => {
    const web = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect(await failure(dialled(web))).toMatchObject({ exitCode: EXIT_PROTOCOL })
  })

  it('ends when it is aborted', async () => {
    const mute = await listen(() => {})
    const abort = new AbortController()
    const attempt = failure(dialled(mute, { signal: abort.signal }))
    abort.abort()
    expect((await attempt).message).toContain('ended on request')
  })

  it('lets the caller refuse the connection before anything is said on it', async () => {
    const port = await hub()
    const error = new ExitError(EXIT_CARRIES_TUNNEL, 'not here')
    expect(await failure(dialled(port, { onSocket: () => Promise.reject(error) }))).toBe(error)
  })
})

async function listen(handler: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = []
  const server: TcpServer = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    handler(socket)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  closers.push(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return portOf(server)
}

describe('host key', () => {
  it('is refused when unknown and nobody can be asked', async () => {
    const port = await hub()
    const error = await failure(dialled(port, { known: file('none'), password: PASSWORD }))
    expect(error.exitCode).toBe(EXIT_HOST_KEY)
    expect(error.message).toMatch(/is not known: ssh-ed25519 SHA256:.*--accept-new/)
    expect(existsSync(file('none'))).toBe(false)
  })

  it('is remembered with --accept-new, and found the next time', async () => {
    const port = await hub()
    const known = file('new/known_hosts')
    await dialled(port, { known, acceptNew: true, password: PASSWORD })
    expect(readFileSync(known, 'utf8')).toBe(
      `[127.0.0.1]:${port} ssh-ed25519 ${publicKey('host').toString('base64')}\n`,
    )
    await dialled(port, { known, password: PASSWORD })
  })

  it('is asked for on the terminal: yes, no, or the fingerprint', async () => {
    const port = await hub()
    const known = file('asked')
    const no = answers('no')
    expect((await failure(dialled(port, { known, ask: no.ask, password: PASSWORD }))).exitCode).toBe(
      EXIT_HOST_KEY,
    )
    expect(no.questions[0]).toContain('ssh-ed25519 SHA256:')
    const wrong = await failure(dialled(port, { known, ask: answers('SHA256:x').ask, password: PASSWORD }))
    expect(wrong.message).toContain('not SHA256:x')
    const print = /SHA256:\S+?(?=\.)/.exec(no.questions[0] ?? '')?.[0] ?? ''
    await dialled(port, { known, ask: answers('what?', print).ask, password: PASSWORD })
    await dialled(port, { known, password: PASSWORD })
  })

  it('fails when it has changed, whatever is asked or accepted, with both fingerprints and the line', async () => {
    const port = await hub()
    const known = file('changed')
    trust(known, port, 'other-host')
    const error = await failure(
      dialled(port, { known, acceptNew: true, ask: answers('yes').ask, password: PASSWORD }),
    )
    expect(error.exitCode).toBe(EXIT_HOST_KEY)
    expect(error.message).toContain('CHANGED')
    expect(error.message.match(/SHA256:/g)).toHaveLength(2)
    expect(error.message).toContain(`${known}:1`)
    expect(readFileSync(known, 'utf8').split('\n')).toHaveLength(2)
  })

  it('fails when it is revoked', async () => {
    const port = await hub()
    const known = file('revoked')
    trust(known, port, 'host')
    writeFileSync(known, `@revoked * ssh-ed25519 ${publicKey('host').toString('base64')}\n`, { flag: 'a' })
    const error = await failure(dialled(port, { known, password: PASSWORD }))
    expect(error.message).toContain(`revoked in ${known}:2`)
  })

  it('asks the hub first for the type of key that is known', async () => {
    const port = await hub({ hostKeys: ['host', 'host-rsa'] })
    const known = file('rsa-only')
    trust(known, port, 'host-rsa')
    expect((await dialled(port, { known, password: PASSWORD })).address).toBe('127.0.0.1')
  })

  it('is judged again at a key exchange that the hub starts, without asking', async () => {
    const port = await hub({ rekey: true })
    const asked = answers('yes')
    const connection = await dialled(port, {
      known: join(file('host'), 'known_hosts'),
      ask: asked.ask,
      password: PASSWORD,
    })
    expect(await listBridges(connection)).toHaveLength(2)
    expect(asked.questions).toHaveLength(1)
    expect(logged.join()).toContain('trusted for this run only')
  })
})

describe('login', () => {
  it('uses a key file', async () => {
    const connection = await dialled(await hub(), { identity: file('client') })
    expect(connection.address).toBe('127.0.0.1')
  })

  it('goes on to the next way when one is refused', async () => {
    const identityFiles = [file('absent'), file('stranger'), file('client')]
    expect((await dialled(await hub(), { identityFiles })).address).toBe('127.0.0.1')
    await dialled(await hub(), { identityFiles: [file('stranger')], password: PASSWORD })
  })

  it('asks for a passphrase, and again when it is wrong', async () => {
    const asked = answers('wrong', 'open sesame')
    await dialled(await hub({ keys: ['locked'] }), { identity: file('locked'), ask: asked.ask })
    expect(asked.questions).toHaveLength(2)
  })

  it('asks three times for the password', async () => {
    const asked = answers('1', '2', PASSWORD)
    await dialled(await hub(), { ask: asked.ask })
    expect(asked.questions).toEqual(Array.from({ length: 3 }, () => 'Password of ann: '))
    const wrong = answers('1', '2', '3', PASSWORD)
    const error = await failure(dialled(await hub(), { ask: wrong.ask }))
    expect(wrong.questions).toHaveLength(3)
    expect(error).toMatchObject({ exitCode: EXIT_REFUSED })
    expect(error.message).toMatch(/refuses user ann \(tried: password\)$/)
  })

  it('says what was tried, and when there was nothing to try', async () => {
    const error = await failure(dialled(await hub(), { identity: file('stranger'), password: 'no' }))
    expect(error).toMatchObject({ exitCode: EXIT_REFUSED })
    expect(error.message).toContain(`tried: ${file('stranger')}, password`)
    expect((await failure(dialled(await hub()))).message).toContain('no key and no password to try')
  })

  it('asks nothing on a reconnect', async () => {
    const port = await hub({ keys: ['locked'] })
    const credentials = new Credentials(
      credentialOptions({ identity: file('locked'), identityFiles: [file('stranger')] }),
    )
    await dialled(port, { credentials, ask: answers('open sesame').ask })
    const again = await dialled(port, { credentials, lastRoundTripMs: 1 })
    expect(again.address).toBe('127.0.0.1')
  })

  it('refuses an identity file that is missing or no private key', () => {
    expect(() => new Credentials(credentialOptions({ identity: file('absent') }))).toThrow(
      'cannot read the identity file',
    )
    expect(() => new Credentials(credentialOptions({ identity: file('client.pub') }))).toThrow(
      'not a private key',
    )
  })

  it('warns of a key file that others can read', () => {
    chmodSync(file('stranger'), 0o644)
    expect(() => new Credentials(credentialOptions({ identity: file('stranger') }))).not.toThrow()
    chmodSync(file('stranger'), 0o600)
    expect(logged).toEqual([expect.stringContaining('can be read by others')])
  })

  it('uses the ssh-agent, and does without one that is not there', async () => {
    const socket = file('agent')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
    closers.push(() => agent.kill())
    await new Promise((resolve) => agent.stdout.once('data', resolve))
    execFileSync('ssh-add', ['-q', file('stranger'), file('client')], {
      env: { ...process.env, SSH_AUTH_SOCK: socket },
      stdio: 'ignore',
    })
    await dialled(await hub(), { agentSocket: socket })
    const without = await dialled(await hub(), { agentSocket: file('no-agent'), identity: file('client') })
    expect(without.address).toBe('127.0.0.1')
  })

  it('takes AES in GCM mode when the hub has it', async () => {
    const connection = await dialled(
      await hub({ ciphers: ['aes256-ctr', 'aes256-gcm@openssh.com', 'aes128-gcm@openssh.com'] }),
      { password: PASSWORD },
    )
    expect(connection.roundTripMs).toBeGreaterThan(0)
    expect(
      (await failure(dialled(await hub({ ciphers: ['aes128-cbc'] }), { password: PASSWORD }))).exitCode,
    ).toBe(EXIT_PROTOCOL)
  })
})

describe('commands of the hub', () => {
  it('gives their output and status', async () => {
    const connection = await dialled(await hub(), { password: PASSWORD })
    expect((await listBridges(connection)).map((one) => one.name)).toEqual(['private0', 'lab/a'])
    expect(await run(connection, 'x')).toEqual({ stdout: '', stderr: 'no x\n', status: 1 })
    connection.end()
    await connection.closed
  })
})

describe('against OpenSSH', () => {
  let sshd: ChildProcess
  const port = 41_000 + (process.pid % 1000)

  beforeAll(async () => {
    mkdirSync('/run/sshd', { recursive: true })
    const config = file('sshd_config')
    writeFileSync(
      config,
      [
        `Port ${port}`,
        'ListenAddress 127.0.0.1',
        `HostKey ${file('host')}`,
        `HostKey ${file('host-rsa')}`,
        `PidFile none`,
        'UsePAM no',
        'StrictModes no',
        'PasswordAuthentication no',
        `AuthorizedKeysFile ${file('client.pub')}`,
        'ForceCommand echo [{\\"name\\":\\"private0\\"}]; echo heard >&2; exit 3',
      ].join('\n'),
    )
    sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] })
    await new Promise<void>((resolve, reject) => {
      sshd.once('exit', () => reject(new Error('sshd ended')))
      sshd.stderr?.on('data', (text: Buffer) => {
        if (text.toString().includes('listening')) resolve()
      })
    })
  })
  afterAll(() => {
    sshd.kill()
  })

  const user = userInfo().username

  it('logs in with a key, with either host key, and runs a command', async () => {
    for (const name of ['host', 'host-rsa']) {
      const known = file(`sshd-${name}`)
      trust(known, port, name)
      const connection = await dialled(port, {
        user,
        known,
        identityFiles: [file('stranger'), file('client')],
      })
      expect(await run(connection, 'anything')).toEqual({
        stdout: '[{"name":"private0"}]\n',
        stderr: 'heard\n',
        status: 3,
      })
    }
  })

  it('is refused with a wrong key, and sees a changed host key', async () => {
    const known = file('sshd-bad')
    trust(known, port, 'host')
    const refused = await failure(dialled(port, { user, known, identity: file('stranger') }))
    expect(refused.exitCode).toBe(EXIT_REFUSED)
    trust(known, port, 'other-host')
    expect((await failure(dialled(port, { user, known, identity: file('client') }))).exitCode).toBe(
      EXIT_HOST_KEY,
    )
  })
})
