/**
 * OpenSSH's own programs against the hub.
 *
 *   [client eth0 10.98.0.1]---[10.98.0.2 wan  hub  lan]---[eth0 far]
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { OFFERED } from '#hub/gateway/commands.ts'
import { decodeBye } from '#net/tunnel/bye.ts'
import {
  controlRecord,
  RECORD_BYE,
  RECORD_HEADER_LEN,
  RECORD_HELLO,
  RECORD_PING,
  RECORD_PONG,
  RecordScanner,
} from '#net/tunnel/framing.ts'
import { decodeHello } from '#net/tunnel/hello.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'
import { Capture } from '#test/support/capture.ts'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import type { Namespace } from '#test/support/netns.ts'
import { until } from '#test/support/process.ts'
import type { Finished } from '#test/support/process.ts'
import { frameRecord, helloRecord } from '#test/support/ssh-peer.ts'

const HUB_ADDRESS = '10.98.0.2'
const OFFER = `${OFFERED}\r\n`

let lab: Lab
let client: Namespace
let far: Namespace
let hub: Hub
let directory: string

beforeAll(async () => {
  lab = new Lab()
  client = lab.namespace('client')
  far = lab.namespace('far')
  const machine = lab.namespace('hub')
  lab.link(client, 'eth0', machine, 'wan')
  lab.link(machine, 'lan', far, 'eth0')
  client.address('eth0', '10.98.0.1/24')
  machine.address('wan', `${HUB_ADDRESS}/24`)
  directory = mkdtempSync(join(lab.directory, 'ssh-'))
  hub = await Hub.start(machine, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

const sshArguments = (identity: string, ...more: string[]): string[] => {
  const settings = [
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'BatchMode=yes',
    'StrictHostKeyChecking=accept-new',
    `UserKnownHostsFile=${join(directory, 'known_hosts')}`,
    'GlobalKnownHostsFile=/dev/null',
  ].flatMap((setting) => ['-o', setting])
  return ['-F', 'none', ...more, '-p', '2222', '-i', identity, ...settings, `ann@${HUB_ADDRESS}`]
}

const ssh = (command: readonly string[], ...more: string[]): Promise<Finished> =>
  client.run('ssh', [...sshArguments(hub.identity, ...more), ...command], { check: false })

describe('ssh', () => {
  it('runs what the hub offers', async () => {
    expect(await ssh(['hybridge', 'list'])).toMatchObject({ code: 0, stdout: 'private0\n' })
    const { stdout } = await ssh(['hybridge', 'list', '--json'])
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'private0' }])
  })

  it('shows the ports of a bridge, unless the hub hides them', async () => {
    const { stdout } = await ssh(['hybridge', 'ports', 'private0', '--json'])
    const lan = { bridge: 'private0', number: 1, name: 'nic:lan', description: 'nic:lan', up: true }
    expect(JSON.parse(stdout)).toEqual([
      { ...lan, counters: expect.objectContaining({ inFrames: expect.any(Number), outDrops: {} }) },
    ])
    expect(await ssh(['hybridge', 'ports', 'private0'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^private0\nport {2}name .*\n {3}1 {2}nic:lan +up /),
    })
    expect(await ssh(['hybridge', 'ports', 'other'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('no bridge "other" here; bridges: private0'),
    })
    const closed = await Hub.start(hub.namespace, {
      address: HUB_ADDRESS,
      port: 2223,
      args: ['--hide-ports'],
    })
    const args = [...sshArguments(closed.identity, '-p', '2223'), 'hybridge', 'ports', 'private0']
    expect(await client.run('ssh', args, { check: false })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('this hub shows no ports to its users'),
    })
    await closed.stop()
  })

  it('is told what the hub offers when it asks for anything else', async () => {
    expect(await ssh(['uname', '-a'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(OFFER),
    })
    expect(await ssh([])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(OFFER) })
    expect(await ssh([], '-tt')).toMatchObject({ code: 1, stdout: '' })
    expect((await ssh(['netconf'], '-s')).code).toBe(255)
  })

  it('forwards nothing', async () => {
    const inward = await ssh(['hybridge', 'list'], '-R', '3000:127.0.0.1:1', '-o', 'ExitOnForwardFailure=yes')
    expect(inward.code).toBe(255)
    const outward = await ssh([], '-W', '127.0.0.1:2222')
    expect(outward).toMatchObject({ code: 255, stdout: '' })
    const tunnel = await ssh([], '-w', 'any', '-N', '-o', 'Tunnel=ethernet', '-o', 'ExitOnForwardFailure=yes')
    expect(tunnel.code).toBe(255)
  })

  it.each([
    ['ed25519', ['-t', 'ed25519']],
    ['ecdsa, 256 bits', ['-t', 'ecdsa', '-b', '256']],
    ['ecdsa, 521 bits', ['-t', 'ecdsa', '-b', '521']],
    ['rsa, 4096 bits', ['-t', 'rsa', '-b', '4096']],
  ])('logs in with a key of type %s', async (name, how) => {
    const file = join(directory, name.replaceAll(/\W/g, ''))
    await client.run('ssh-keygen', ['-q', ...how, '-N', '', '-f', file])
    const args = [...sshArguments(file), 'hybridge', 'list']
    expect((await client.run('ssh', args, { check: false })).code).toBe(255)
    await hub.command(['user', 'key', 'add', 'ann', `${file}.pub`])
    expect(await client.run('ssh', args)).toMatchObject({ stdout: 'private0\n' })
  })

  it.each(['aes128-gcm@openssh.com', 'aes256-ctr', 'chacha20-poly1305@openssh.com'])(
    'agrees on %s',
    async (cipher) => {
      expect(await ssh(['hybridge', 'list'], '-c', cipher)).toMatchObject({ code: 0, stdout: 'private0\n' })
    },
  )

  it('makes no signature with SHA-1 that the hub takes', async () => {
    const file = join(directory, 'old')
    await client.run('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', file])
    await hub.command(['user', 'key', 'add', 'ann', `${file}.pub`])
    const args = (...more: string[]): string[] => [...sshArguments(file, ...more), 'hybridge', 'list']
    expect((await client.run('ssh', args())).stdout).toBe('private0\n')
    const { code } = await client.run('ssh', args('-o', 'PubkeyAcceptedAlgorithms=ssh-rsa'), { check: false })
    expect(code).toBe(255)
  })
})

describe('ssh-keyscan', () => {
  it('sees the hub’s key', async () => {
    const { stdout } = await client.run('ssh-keyscan', ['-p', '2222', '-t', 'ed25519', HUB_ADDRESS])
    const { stdout: own } = await client.run('ssh-keygen', [
      '-y',
      '-f',
      join(hub.data, 'ssh_host_ed25519_key'),
    ])
    const [type, blob] = own.trim().split(' ')
    expect(stdout).toContain(`[${HUB_ADDRESS}]:2222 ${type} ${blob}`)
    expect(readFileSync(join(directory, 'known_hosts'), 'utf8')).toContain(`${type} ${blob}`)
  })
})

/** The tunnel's protocol, spoken by the test over the standard input and output of ssh. */
class SshTunnel {
  readonly child: ChildProcessWithoutNullStreams
  readonly frames: Buffer[] = []
  hello = ''
  bye = ''
  stderr = ''
  #octets = Buffer.alloc(0)

  constructor(...more: string[]) {
    const command = [...sshArguments(hub.identity, ...more), 'hybridge', 'bridge', 'private0']
    this.child = spawn('ip', ['netns', 'exec', client.name, 'ssh', ...command])
    const scanner = new RecordScanner({
      onFrames: (chunk, start, end) => this.#add(chunk, start, end),
      onControl: (type, payload) => {
        if (type === RECORD_HELLO) this.hello = decodeHello(payload).name
        if (type === RECORD_BYE) this.bye = decodeBye(payload).message
        if (type === RECORD_PING) this.say(controlRecord(RECORD_PONG, payload))
      },
    })
    this.child.stdout.on('data', (chunk: Buffer) => scanner.scan(chunk, 0, chunk.length))
    this.child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()))
    this.child.stdin.on('error', () => {}) // ssh may end first
  }

  say(octets: Uint8Array): void {
    this.child.stdin.write(octets)
  }

  #add(chunk: Uint8Array, start: number, end: number): void {
    this.#octets = Buffer.concat([this.#octets, chunk.subarray(start, end)])
    for (;;) {
      if (this.#octets.length < RECORD_HEADER_LEN) return
      const next = RECORD_HEADER_LEN + this.#octets.readUIntBE(1, 3)
      if (this.#octets.length < next) return
      this.frames.push(this.#octets.subarray(RECORD_HEADER_LEN + VIRTIO_HEADER_LEN, next))
      this.#octets = this.#octets.subarray(next)
    }
  }
}

const frames = (count: number, source: string): Buffer[] =>
  Array.from({ length: count }, (_, i) => makeFrame({ source, length: 60 + (i % 1400), seed: i }))

describe('a tunnel through ssh', () => {
  it('carries frames both ways while the keys change again and again', async () => {
    const tunnel = new SshTunnel('-v', '-o', 'RekeyLimit=256K')
    tunnel.say(helloRecord({ key: 'openssh' }))
    await until('the hub’s hello', () => tunnel.hello !== '')

    const capture = await Capture.start(far, 'eth0', { direction: 'in', filter: 'ether proto 0x88b5' })
    const outward = frames(3000, '02:00:00:00:00:0a')
    for (let i = 0; i < outward.length; i += 50) {
      tunnel.say(Buffer.concat(outward.slice(i, i + 50).map(frameRecord)))
      await capture.seen(i + 50)
    }
    expect(Buffer.concat(await capture.stop()).equals(Buffer.concat(outward))).toBe(true)

    const inward = frames(3000, '02:00:00:00:00:0b')
    for (let i = 0; i < inward.length; i += 300) {
      await sendFrames(far, 'eth0', inward.slice(i, i + 300), 300)
      await until('all frames', () => tunnel.frames.length >= i + 300)
    }
    expect(Buffer.concat(tunnel.frames).equals(Buffer.concat(inward))).toBe(true)

    expect(tunnel.stderr.match(/SSH2_MSG_NEWKEYS received/g)?.length).toBeGreaterThan(8)
    const ended = once(tunnel.child, 'close')
    tunnel.child.stdin.end()
    await ended
  })

  it('is told why it is refused', async () => {
    const tunnel = new SshTunnel()
    const ended = once(tunnel.child, 'close')
    tunnel.say(helloRecord({ version: 7 }))
    await ended
    expect(tunnel.bye).toMatch(/version 7 .*version 1/)
  })
})
