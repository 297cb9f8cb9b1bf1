/**
 * Attacks on a hub that carries a tunnel all the while. From the first attack to the last no ping of the lab PC to the
 * far host may be lost.
 *
 *   [pc eth0]---[lan  site  wan]---+
 *    10.99.0.1       10.98.0.1     |
 *                                [wan br0]---[wan  hub  lan]---[eth0 far]
 *   [stranger eth0]----------------+        10.98.0.2         10.99.0.2
 *    10.98.0.66, 10.98.0.67
 */
import { OFFERED } from '#hub/gateway/commands.ts'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import ssh2, { type Client } from 'ssh2'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { EXIT_HOST_KEY, EXIT_REFUSED, EXIT_UNKNOWN_BRIDGE } from '#agent/exit-codes.ts'
import { MAX_UNAUTHENTICATED_PER_ADDRESS } from '#hub/gateway/limits.ts'
import { isRecord } from '#net/base/unknown.ts'
import {
  controlRecord,
  MAX_CONTROL_PAYLOAD,
  putRecordHeader,
  RECORD_FRAME,
  RECORD_HELLO,
  RECORD_PING,
  RECORD_PONG,
} from '#net/tunnel/framing.ts'
import { startAgent } from '#test/support/agent.ts'
import { connectFrom } from '#test/support/connect-from.ts'
import { makeFrame } from '#test/support/frames.ts'
import { runHconnect } from '#test/support/hconnect.ts'
import { hubLog, hubProcesses, pidOf, residentOf } from '#test/support/hub-processes.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import type { Namespace } from '#test/support/netns.ts'
import { Ping } from '#test/support/ping.ts'
import { until } from '#test/support/process.ts'
import { buildSite, FAR_ADDRESS, HUB_ADDRESS } from '#test/support/site.ts'
import type { Site } from '#test/support/site.ts'
import {
  exec,
  frameRecord,
  helloRecord,
  outcome,
  sshLogin,
  TunnelPeer,
  within,
} from '#test/support/ssh-peer.ts'

const BAD = '10.98.0.66'
const GOOD = '10.98.0.67'
const PASSWORD = 'correct horse battery staple'
const GATEWAYS = 2

let lab: Lab
let site: Site
let stranger: Namespace
let hub: Hub
let ping: Ping
let knownHosts: string
let pids: Map<string, number>

const options = (...more: string[]): string[] => [
  '-s',
  `${HUB_ADDRESS}:2222`,
  '--known-hosts',
  knownHosts,
  ...more,
]
const onLan = (...more: string[]): string[] => options('-b', 'private0', '-n', 'lan', ...more)
const keyOf = (name: string): string => join(lab.directory, name)

async function makeKey(name: string): Promise<string> {
  await stranger.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keyOf(name)])
  return keyOf(name)
}

beforeAll(async () => {
  lab = new Lab()
  site = buildSite(lab)
  stranger = lab.namespace('stranger')
  lab.link(stranger, 'eth0', site.wan, 'stranger')
  site.wan.ip('link', 'set', 'stranger', 'master', 'br0')
  stranger.address('eth0', `${BAD}/24`)
  stranger.address('eth0', `${GOOD}/24`)
  lab.link(stranger, 'lan', site.pc, 'spare')
  hub = await Hub.start(site.hub, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
  await hub.command(['user', 'add', 'bob', '--password-stdin'], { input: `${PASSWORD}\n` })
  knownHosts = keyOf('known_hosts')
  await startAgent(site.site, { hub, nic: 'lan', knownHosts })
  pids = hubProcesses(hub)
  ping = await Ping.start(site.pc, FAR_ADDRESS)
})
afterAll(() => lab.close())

const named = (processes: Map<string, number>): string =>
  [...processes]
    .map(([name, pid]) => `${name} ${pid}`)
    .sort()
    .join(', ')

/** The tunnel has lost nothing, and no process has been started again. */
afterEach(async ({ task }) => {
  const lost = await ping.lost()
  const now = named(hubProcesses(hub))
  if (task.result?.state === 'fail' || lost.length > 0) console.error(lab.story())
  if (lost.length > 0) throw new Error(`lost pings: ${lost.join()}`)
  if (now !== named(pids)) throw new Error(`other processes run now: ${now}`)
})

/** What the gateways logged since `from` and `pattern` matches. */
const gatewayLog = (from: number, pattern: RegExp): string[] =>
  hubLog(hub, from)
    .filter((line) => line.process.startsWith('gateway') && pattern.test(line.msg))
    .map((line) => line.msg)

async function expectLoggedOnce(from: number, pattern: RegExp): Promise<void> {
  await until(`a log line ${pattern}`, () => gatewayLog(from, pattern).length > 0)
  await pause(100)
  expect(gatewayLog(from, pattern)).toHaveLength(1)
}

describe('a login that is not right', () => {
  it('is refused with a wrong key', async () => {
    const from = hub.process.lines.length
    const identity = await makeKey('wrong')
    const { code, stderr } = await runHconnect(stranger, onLan('-u', 'ann', '--identity', identity))
    expect(stderr).toMatch(/^hconnect: the hub 10\.98\.0\.2:2222 refuses user ann.*\(tried: .*wrong\)$/m)
    expect(code).toBe(EXIT_REFUSED)
    await expectLoggedOnce(from, /^ann refused from 10\.98\.0\.6/)
  })

  it.each([
    ['a wrong password', 'bob', 'wrong horse'],
    ['an unknown user', 'mallory', 'wrong horse'],
    ['a user who has no password', 'ann', 'wrong horse'],
  ])('is refused with %s, and the same words', async (_what, user, password) => {
    const from = hub.process.lines.length
    const { code, stderr } = await runHconnect(stranger, onLan('-u', user), {
      env: { HCONNECT_PASSWORD: password },
    })
    expect(stderr).toContain(`hconnect: the hub 10.98.0.2:2222 refuses user ${user} (tried: password)\n`)
    expect(code).toBe(EXIT_REFUSED)
    await expectLoggedOnce(from, new RegExp(`^${user} refused from 10\\.98\\.0\\.6`))
  })

  it('says which bridges there are when it asks for another', async () => {
    const from = hub.process.lines.length
    const args = ['-u', 'ann', '-b', 'nowhere', '-n', 'lan', '--identity', hub.identity]
    const { code, stderr } = await runHconnect(stranger, options(...args))
    expect(stderr).toMatch(/^hconnect: .*no bridge .*nowhere.*you may join: private0$/m)
    expect(code).toBe(EXIT_UNKNOWN_BRIDGE)
    await expectLoggedOnce(from, /no bridge "nowhere" here/)
  })

  it('is not tried when the hub shows another host key', async () => {
    const other = await makeKey('other')
    const fingerprint = async (file: string): Promise<string> =>
      (await stranger.run('ssh-keygen', ['-l', '-f', file])).stdout.split(' ')[1] ?? ''
    const file = keyOf('changed_hosts')
    const [type, blob] = readFileSync(`${other}.pub`, 'utf8').split(' ')
    writeFileSync(file, `[${HUB_ADDRESS}]:2222 ${type} ${blob}\n`)
    const args = ['-u', 'bob', '-b', 'private0', '-n', 'lan', '-s', `${HUB_ADDRESS}:2222`]
    const { code, stderr } = await runHconnect(stranger, [...args, '--known-hosts', file, '--accept-new'], {
      env: { HCONNECT_PASSWORD: PASSWORD },
    })
    expect(code).toBe(EXIT_HOST_KEY)
    expect(stderr).toContain('CHANGED')
    expect(stderr).toContain(await fingerprint(`${other}.pub`))
    expect(stderr).toContain(await fingerprint(join(hub.data, 'ssh_host_ed25519_key')))
  })

  it('is slowed down after some failures, while a right key comes in at once', async () => {
    for (let i = 0; i < 8; i++)
      await sshLogin(stranger, hub, { user: 'bob', password: `guess ${i}`, localAddress: BAD }).then(
        () => expect.unreachable(),
        () => undefined,
      )
    // The right password, too: it is not looked at now.
    const right = { user: 'bob', password: PASSWORD }
    await expect(sshLogin(stranger, hub, { ...right, localAddress: BAD })).rejects.toThrow(/./)
    const key = await sshLogin(stranger, hub, { localAddress: BAD })
    key.end()
    const elsewhere = await sshLogin(stranger, hub, { ...right, localAddress: GOOD })
    elsewhere.end()
  })

  it('may have a name of any length and kind', async () => {
    const from = hub.process.lines.length
    for (const user of ['x'.repeat(30_000), '\u001b[2J\n{"level":60}', "ann'; DROP TABLE users; --", ' ']) {
      const login = sshLogin(stranger, hub, { user, localAddress: GOOD })
      await expect(login).rejects.toThrow(/./)
    }
    await until('all are logged', () => gatewayLog(from, / refused from /).length === 4)
    for (const line of gatewayLog(from, /./)) expect(line.length).toBeLessThan(400)
  })
})

const dial = async (): Promise<Socket> => {
  const socket = connectFrom(stranger, { host: HUB_ADDRESS, port: 2222, localAddress: GOOD })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** `[length][padding][type]`, as it stands before there are keys. */
const packet = (type: number, payload: Uint8Array): Buffer => {
  const padding = 8 - ((6 + payload.length) % 8) + 4
  const head = Buffer.alloc(6)
  head.writeUInt32BE(2 + payload.length + padding)
  head.writeUInt8(padding, 4)
  head.writeUInt8(type, 5)
  return Buffer.concat([head, payload, Buffer.alloc(padding)])
}

/** What ssh2 keeps a connection alive with: a global request that wants a reply (RFC 4254 section 4). */
function askForAnswer(client: Client): void {
  const protocol: unknown = Reflect.get(client, '_protocol')
  if (isRecord(protocol) && typeof protocol['ping'] === 'function')
    Reflect.apply(protocol['ping'], protocol, [])
}

/** Octets of the gateway that has most. */
const residentGateway = (): number =>
  Math.max(...(['gateway-1', 'gateway-2'] as const).map((name) => residentOf(pidOf(hub, name))))

describe('a client that speaks no SSH', () => {
  const BANNER = 'SSH-2.0-test\r\n'

  it.each<[string, () => Uint8Array]>([
    ['random octets', () => Buffer.concat([randomBytes(4000), Buffer.from('\n')])],
    ['HTTP', () => Buffer.from('GET / HTTP/1.1\r\nHost: hub\r\n\r\n')],
    ['a banner without end', () => Buffer.from(`SSH-2.0-${'A'.repeat(1 << 20)}`)],
    ['SSH 1', () => Buffer.from('SSH-1.5-old\r\n')],
    ['random packets', () => Buffer.concat([Buffer.from(BANNER), randomBytes(4000)])],
    ['a huge packet', () => Buffer.concat([Buffer.from(BANNER), Buffer.alloc(1 << 20, 0xff)])],
    ['a broken key exchange', () => Buffer.concat([Buffer.from(BANNER), packet(20, randomBytes(200))])],
    [
      'a command before the login',
      () => Buffer.concat([Buffer.from(BANNER), packet(90, Buffer.from('\0\0\0\u0007session'))]),
    ],
  ])('is hung up on: %s', async (_what, octets) => {
    const from = hub.process.lines.length
    const socket = await dial()
    const ended = once(socket, 'close')
    socket.resume()
    socket.write(octets())
    await within('the hub hangs up', ended)
    await expectLoggedOnce(from, /^connection from 10\.98\.0\.67: /)
  })

  it('cannot keep others out by opening 200 connections: an address gets 32 of a gateway', async () => {
    const from = hub.process.lines.length
    const sockets = Array.from({ length: 200 }, () =>
      connectFrom(stranger, { host: HUB_ADDRESS, port: 2222, localAddress: BAD }),
    )
    let greeted = 0
    let closed = 0
    for (const socket of sockets) {
      socket.on('error', () => {})
      socket.once('data', () => greeted++)
      socket.once('close', () => closed++)
    }
    const room = GATEWAYS * MAX_UNAUTHENTICATED_PER_ADDRESS
    await until('all are decided upon', () => greeted + closed >= 200, 20_000)
    expect(greeted).toBe(room)
    await expectLoggedSome(
      from,
      /^refused \d+ connections: too many have not logged in, last from 10\.98\.0\.66$/,
    )
    const client = await sshLogin(stranger, hub, { localAddress: GOOD })
    client.end()
    expect((await outcomeOfList(site.site)).trim()).toBe('private0')
    for (const socket of sockets) socket.destroy()
  })

  it('fills no memory of the hub with requests whose answers it does not read', async () => {
    const sock = connectFrom(stranger, { host: HUB_ADDRESS, port: 2222, localAddress: BAD })
    const client = new ssh2.Client()
    client.on('error', () => {})
    // Never answers which way it will log in.
    client.connect({ sock, username: 'x', hostVerifier: () => true, readyTimeout: 0, authHandler: () => {} })
    await within('the exchange of keys', once(client, 'handshake'))
    sock.pause()
    const before = residentGateway()
    const end = performance.now() + 5000
    while (performance.now() < end) {
      if (sock.writableLength < 1 << 20) for (let i = 0; i < 2000; i++) askForAnswer(client)
      await new Promise(setImmediate)
    }
    expect(residentGateway() - before).toBeLessThan(64 << 20)
    sock.destroy()
  })

  it('may come and go 200 times', async () => {
    const from = hub.process.lines.length
    await Promise.all(
      Array.from({ length: 200 }, async () => {
        const socket = await dial().catch(() => undefined)
        socket?.destroy()
      }),
    )
    const client = await sshLogin(stranger, hub, { localAddress: BAD })
    client.end()
    expect(gatewayLog(from, /./).length).toBeLessThan(210)
  })
})

async function expectLoggedSome(from: number, pattern: RegExp): Promise<void> {
  await until(`a log line ${pattern}`, () => gatewayLog(from, pattern).length > 0)
  expect(gatewayLog(from, pattern).length).toBeLessThanOrEqual(GATEWAYS * 2)
}

async function outcomeOfList(from: Namespace): Promise<string> {
  const { stdout } = await runHconnect(from, ['list', ...options('-u', 'ann', '--identity', hub.identity)], {
    check: true,
  })
  return stdout
}

describe('a user who asks for more than there is', () => {
  let client: Client
  beforeAll(async () => {
    client = await sshLogin(stranger, hub, { localAddress: GOOD })
  })
  afterAll(() => client.end())
  const OFFER = `${OFFERED}\r\n`

  it.each([
    'rm -rf /',
    '',
    'hybridge',
    'hybridge bridge',
    'hybridge bridge a b',
    'hybridge show ports',
    'x'.repeat(30_000),
  ])('is told what there is: exec %#', async (command) => {
    expect(await outcome(await exec(client, command))).toEqual({ stdout: '', stderr: OFFER, code: 1 })
  })

  it('is told what there is: a shell on a terminal', async () => {
    const channel = await new Promise<Awaited<ReturnType<typeof exec>>>((resolve, reject) => {
      client.shell((error, shell) => (error ? reject(error) : resolve(shell)))
    })
    expect(await outcome(channel)).toEqual({ stdout: '', stderr: OFFER, code: 1 })
  })

  it.each<[string, (c: Client, done: (error?: Error | null) => void) => void]>([
    ['sftp', (c, done) => c.sftp(done)],
    ['another subsystem', (c, done) => c.subsys('netconf', done)],
    ['a port of the hub', (c, done) => c.forwardIn('0.0.0.0', 0, done)],
    ['a way through the hub', (c, done) => c.forwardOut('127.0.0.1', 1, '127.0.0.1', 2222, done)],
    ['a socket of the hub', (c, done) => c.openssh_forwardOutStreamLocal('run/control.sock', done)],
    ['a socket on the hub', (c, done) => c.openssh_forwardInStreamLocal('/tmp/socket', done)],
  ])('is refused %s', async (_what, ask) => {
    const answer = new Promise((resolve) => ask(client, resolve))
    expect(await within('an answer', answer)).toBeInstanceOf(Error)
  })

  it('gets no variables and no agent forwarding, and the command all the same', async () => {
    const channel = await within(
      'exec',
      new Promise<Awaited<ReturnType<typeof exec>>>((resolve, reject) => {
        client.exec('hybridge list', { env: { LD_PRELOAD: '/tmp/x.so' }, pty: true }, (error, c) =>
          error ? reject(error) : resolve(c),
        )
      }),
    )
    expect(await outcome(channel)).toEqual({ stdout: 'private0\n', stderr: '', code: 0 })
  })

  it('may ask 100 things one after the other on one connection', async () => {
    for (let i = 0; i < 100; i++)
      expect(await outcome(await exec(client, 'hybridge list'))).toMatchObject({ stdout: 'private0\n' })
  })

  it('gets 64 channels at a time', async () => {
    const own = await sshLogin(stranger, hub, { localAddress: GOOD })
    const opened = await Promise.allSettled(
      Array.from({ length: 80 }, () => exec(own, 'hybridge bridge private0')),
    )
    expect(opened.filter((one) => one.status === 'fulfilled')).toHaveLength(64)
    own.end()
  })

  it('harms nobody by asking twice on one channel', async () => {
    const own = await sshLogin(stranger, hub, { localAddress: GOOD })
    const channel = await exec(own, 'hybridge bridge private0')
    const protocol = Reflect.get(own, '_protocol')
    const id: unknown = Reflect.get(Object(Reflect.get(channel, 'outgoing')), 'id')
    protocol.exec(id, 'hybridge list', true)
    protocol.exec(id, 'rm -rf /', false)
    protocol.shell(id, true)
    const peer = new TunnelPeer(channel)
    await peer.greet({ key: 'twice' })
    expect(peer.channel.writable).toBe(true)
    own.end()
  })
})

const broken = (type: number, length: number): Buffer => {
  const header = Buffer.alloc(20)
  putRecordHeader(header, 0, type, length)
  return header
}

describe('an agent that breaks the tunnel’s rules', () => {
  let client: Client
  beforeAll(async () => {
    client = await sshLogin(stranger, hub, { localAddress: GOOD })
  })
  afterAll(() => client.end())
  const frame = frameRecord(makeFrame({ length: 60 }))

  it.each<[string, boolean, () => Uint8Array, string, RegExp]>([
    [
      'a hello of another version',
      false,
      () => helloRecord({ version: 9 }),
      'version',
      /version 9 .*version 1/,
    ],
    [
      'a hello that is no JSON',
      false,
      () => controlRecord(RECORD_HELLO, Buffer.from('{')),
      'hello',
      /not JSON/,
    ],
    ['another protocol', false, () => helloRecord({ protocol: 'vde' }), 'hello', /does not speak/],
    ['a keepalive of an hour', false, () => helloRecord({ keepaliveMs: 3_600_000 }), 'hello', /keepaliveMs/],
    ['a name that is too long', false, () => helloRecord({ name: 'x'.repeat(300) }), 'hello', /name/],
    ['frames before the hello', false, () => frame, 'hello', /before its hello/],
    ['a ping before the hello', false, () => controlRecord(RECORD_PING, new Uint8Array(8)), 'hello', /./],
    [
      'frames before the answer',
      false,
      () => Buffer.concat([helloRecord(), frame]),
      'hello',
      /before the hub/,
    ],
    ['a second hello', true, () => helloRecord(), 'hello', /second hello/],
    ['an oversize frame', true, () => broken(RECORD_FRAME, 0xff_ff_ff), 'frame-length', /16777215/],
    ['an empty frame', true, () => broken(RECORD_FRAME, 10), 'frame-length', /10 octets/],
    ['a long control record', true, () => broken(77, MAX_CONTROL_PAYLOAD + 1), 'frame-length', /4097/],
    ['octets of zero', true, () => new Uint8Array(1000), 'frame-length', /type 0/],
    ['all ones', true, () => Buffer.alloc(1000, 0xff), 'frame-length', /type 255/],
  ])('is told: %s', async (_what, greets, octets, code, message) => {
    const from = hub.process.lines.length
    const peer = await TunnelPeer.open(client)
    if (greets) await peer.greet()
    peer.channel.write(octets())
    const said = await within('the hub’s bye', peer.ended)
    expect(said.code).toBe(code)
    expect(said.message).toMatch(message)
    await within('the end of the channel', peer.closed)
    await expectLoggedOnce(from, /^tunnel of ann on private0 ended: /)
  })

  it('is told when it sends random octets', async () => {
    for (let i = 0; i < 20; i++) {
      const peer = await TunnelPeer.open(client)
      if (i % 2 === 0) await peer.greet()
      peer.channel.write(randomBytes(100_000)) // more than any record: none can wait for its rest
      expect((await within('the hub’s bye', peer.ended)).code).toMatch(/^(hello|frame-length|closed|bye)/)
    }
  })

  it('is let go when it says nothing, before the hello and after it', async () => {
    const mute = await TunnelPeer.open(client)
    const asleep = await TunnelPeer.open(client)
    await asleep.greet({ key: 'asleep', keepaliveMs: 500 })
    expect(await within('the hub’s bye', mute.ended)).toMatchObject({ code: 'hello' })
    expect(await within('the hub’s bye', asleep.ended)).toMatchObject({ code: 'lost' })
  })

  it('gets an answer to the last of a flood of pings', async () => {
    const peer = await TunnelPeer.open(client)
    await peer.greet({ key: 'flood' })
    const stamps = Array.from({ length: 2000 }, (_, i) => {
      const payload = Buffer.alloc(8)
      payload.writeUInt32BE(i)
      return Buffer.from(controlRecord(RECORD_PING, payload))
    })
    peer.channel.write(Buffer.concat(stamps))
    const last = (): boolean =>
      peer.records.some((one) => one.type === RECORD_PONG && Buffer.from(one.payload).readUInt32BE() === 1999)
    await until('an answer to the last ping', last)
    expect(peer.records.filter((one) => one.type === RECORD_PONG).length).toBeLessThan(200)
    peer.channel.close()
  })

  it('fills no memory of the hub with pings whose answers it does not read', async () => {
    const own = await sshLogin(stranger, hub, { localAddress: GOOD })
    const channel = await exec(own, 'hybridge bridge private0')
    // Nobody reads the channel: its window is used up after 2 MiB of answers.
    channel.pause()
    channel.write(helloRecord({ key: 'deaf', keepaliveMs: 60_000 }))
    const record = Buffer.from(controlRecord(RECORD_PING, new Uint8Array(8)))
    const flood = async (pings: number): Promise<number> => {
      for (let sent = 0; sent < pings; sent += 2000) {
        for (let i = 0; i < 2000; i++) channel.write(record)
        await new Promise(setImmediate)
        await until('the hub reads', () => channel.writableLength < 1 << 20)
      }
      return residentGateway()
    }
    const before = await flood(250_000)
    expect((await flood(350_000)) - before).toBeLessThan(100 << 20)
    own.end()
  })
})

describe('all that the hub wrote meanwhile', () => {
  it('has no password and no key in it', () => {
    const logs = readdirSync(join(hub.data, 'log')).map((name) =>
      readFileSync(join(hub.data, 'log', name), 'utf8'),
    )
    const said = [...logs, hub.process.stdout, hub.process.stderr].join('\n')
    const [, blob = 'no key'] = readFileSync(`${hub.identity}.pub`, 'utf8').split(' ')
    for (const secret of [PASSWORD, 'wrong horse', 'guess 1', 'PRIVATE KEY', blob])
      expect(said).not.toContain(secret)
    const commandLines = [...pids.values()].map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).join()
    expect(commandLines).not.toContain(PASSWORD)
  })
})
