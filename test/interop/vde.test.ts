/**
 * Programs of VDE against the hub: vde_plug, dpipe and QEMU as clients of its bridges, vde_switch with the hub as its
 * client, OpenSSH between.
 *
 *   vde_plug, QEMU ---[V/lab   hub   V/far]--- vde_plug
 *   vde_plug ---[vde_switch]---[ private0 ]---ssh--- dpipe
 */
import { chmodSync, existsSync, mkdtempSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { decodeRequest } from '#net/port/vde/handshake.ts'
import { RpcClient } from '#net/base/rpc.ts'
import { parsePorts, type PortStatus } from '#hub/command/show-text.ts'
import { makeFrame } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { killProcess, pidOf } from '#test/support/hub-processes.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { type Running, until } from '#test/support/process.ts'
import { VdeStream } from '#test/support/vde-stream.ts'

const PYTHON = ['/usr/bin/python3', '-I', '-S']
const ADDRESS = '10.97.0.1'
/** Users that need no account. */
const ANN = 61_001
const BOB = 61_002

let lab: Lab
let machine: Namespace
let hub: Hub
/** Asks the hub what `hybridge show ports` asks, and is quicker. */
let control: RpcClient
let root: string
let refusing: Running
let foreign: Running
const streams: VdeStream[] = []
const clients: Running[] = []

const directory = (name: string): string => join(root, name)
const foreignSwitch = async (): Promise<Running> => {
  const running = machine.spawn('vde_switch', ['-s', directory('sw'), '-m', '666'])
  await until('vde_switch serves', () => existsSync(join(directory('sw'), 'ctl')))
  return running
}

beforeAll(async () => {
  lab = new Lab()
  machine = lab.namespace('hub')
  machine.address('lo', `${ADDRESS}/32`)
  root = mkdtempSync(join(lab.directory, 'v-'))
  machine.exec('chmod', '1777', root)
  refusing = machine.spawn(PYTHON[0] ?? '', [
    ...PYTHON.slice(1),
    helper('vde-listen.py'),
    directory('refusing'),
  ])
  await refusing.line(/^listening/)
  foreign = await foreignSwitch()
  hub = await Hub.start(machine, {
    address: ADDRESS,
    bridges: [
      'lab,vdemode=666',
      'far,vdemode=666',
      'spare',
      `private0,vde=${directory('private0')},vdegroup=users,vdemode=660`,
    ],
    attach: [
      `private0=vde:${directory('sw')}`,
      `far=vde:${directory('refusing')},port=9`,
      `spare=vde:${directory('v/far')}`,
    ],
    args: ['--vde', directory('v')],
  })
  control = new RpcClient(join(hub.data, 'run/control.sock'))
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story(), ...streams.map(({ stderr }) => stderr))
  await Promise.all([
    ...streams.splice(0).map((stream) => stream.stop()),
    ...clients.splice(0).map((running) => running.stop('SIGKILL')),
  ])
})
afterAll(() => {
  control.close()
  lab.close()
})

const helper = (name: string): string => join(import.meta.dirname, '../support', name)
const labDirectory = (): string => directory('v/lab')

function start(...command: string[]): VdeStream {
  const stream = new VdeStream(machine, command)
  streams.push(stream)
  return stream
}

const ports = async (bridge: string): Promise<PortStatus[]> =>
  parsePorts(await control.call('ports', { bridge }))

/** Waits until the bridge's ports are as wanted. */
async function portsAre(bridge: string, fit: (read: PortStatus[]) => boolean): Promise<PortStatus[]> {
  for (const deadline = performance.now() + 15_000; ;) {
    const read = await ports(bridge)
    if (fit(read)) return read
    if (performance.now() > deadline) throw new Error(`ports of ${bridge}: ${JSON.stringify(read)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** vde_plug, when it is plugged in. */
async function plug(bridge: string, path: string, count: number): Promise<VdeStream> {
  const stream = start('vde_plug', path)
  await portsAre(bridge, (read) => read.filter(({ up }) => up).length === count)
  return stream
}

function client(path: string, ...options: string[]): Running {
  const running = machine.spawn(PYTHON[0] ?? '', [
    ...PYTHON.slice(1),
    helper('vde-client.py'),
    path,
    root,
    ...options,
  ])
  clients.push(running)
  return running
}

const frameOf = (length: number, seed: number): Buffer =>
  makeFrame({ length, seed, source: '02:00:00:00:00:0a' })

const QEMU =
  '-machine pc,accel=tcg -m 64 -display none -serial none -monitor none -nodefaults -boot n ' +
  '-device virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56'

const bootFromNetwork = (netdev: string): Running =>
  machine.spawn('qemu-system-x86_64', [...QEMU.split(' '), '-netdev', `${netdev},id=n0`])

/** The network ROM's DHCPDISCOVER. */
const isRequestOfRom = (frame: Buffer): boolean =>
  frame.toString('hex', 0, 14) === 'ffffffffffff5254001234560800' && frame.readUInt16BE(36) === 67

/** From QEMU's stream, frames behind lengths of four octets, to VDE's. */
function passStream(from: net.Socket, to: VdeStream): void {
  let held = Buffer.alloc(0)
  from.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    for (let end = 0; held.length >= 4; held = held.subarray(end)) {
      end = 4 + held.readUInt32BE(0)
      if (held.length < end) return
      to.send(held.subarray(4, end))
    }
  })
}

/** The fields of a client's request before the description, in hex, its path by form. */
const fields = (request: string): string[] => [
  request.slice(0, 8), // magic
  request.slice(8, 16), // version
  request.slice(16, 24), // type and port
  request.slice(24, 28), // family
  /^(?:[2-7].)+(?:00)+$/.test(request.slice(28, 244)) ? 'padded path' : request.slice(28, 244),
]
const description = (request: string): string => decodeRequest(Buffer.from(request, 'hex')).description

/** Sends a frame until it arrives, as nothing tells when a program has plugged in. */
async function expectFrame(from: VdeStream, to: VdeStream, seed: number): Promise<void> {
  const deadline = performance.now() + 10_000
  const wanted = frameOf(1514, seed)
  while (!to.frames.some((frame) => frame.equals(wanted)) && performance.now() < deadline) {
    from.send(wanted)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  expect(to.frames).toContainEqual(wanted)
}

const ssh = (bridge: string): string[] => {
  const settings = '-F none -o BatchMode=yes -o IdentityAgent=none -o StrictHostKeyChecking=no'
  const known = '-o UserKnownHostsFile=/dev/null -p 2222 -i'
  return ['ssh', ...`${settings} ${known}`.split(' '), hub.identity, `ann@${ADDRESS}`, 'vde_plug', bridge]
}

describe('clients of a bridge', () => {
  it('send each other frames of any length, which are counted', async () => {
    const a = await plug('lab', labDirectory(), 1)
    const b = await plug('lab', labDirectory(), 2)
    const frames = [14, 59, 60, 1514, 1518, 1522, 9216, 9234].map(frameOf)
    a.send(...frames)
    await until('all frames', () => b.frames.length === frames.length)
    expect(b.frames).toEqual(frames)
    const read = await ports('lab')
    expect(read).toMatchObject([
      { number: 1, name: 'vde:root', up: true, counters: { inFrames: 8, outFrames: 0 } },
      { number: 2, name: 'vde:root', up: true, counters: { inFrames: 0, outFrames: 8 } },
    ])
    expect(read[0]?.description).toMatch(/^vdeplug: user=root pid=\d+$/)
    a.child.kill('SIGKILL')
    await b.stop()
    await portsAre('lab', (left) => left.length === 0)
    expect(readdirSync(labDirectory()).filter((name) => /^\d/.test(name))).toEqual([])
  })

  it('may be of the old kind, with an abstract address and no connection', async () => {
    const uml = client(labDirectory(), 'kind=uml')
    await uml.line(/^plugged/)
    const other = await plug('lab', labDirectory(), 2)
    other.send(frameOf(60, 1))
    const [frame] = await uml.line(/^frame .*/)
    expect(frame).toBe(`frame ${frameOf(60, 1).toString('hex')}`)
    uml.child.stdin.write(`${frameOf(99, 2).toString('hex')}\n`)
    await other.frame('the frame', (heard) => heard.equals(frameOf(99, 2)))
  })

  it('share a numbered port if they are one user’s, and the port stays', async () => {
    const first = client(labDirectory(), 'port=7', `uid=${ANN}`)
    expect(await first.line(/^plugged (.*)/)).toMatchObject({ 1: expect.stringContaining('/v/lab/007.') })
    const second = client(labDirectory(), 'port=7', `uid=${ANN}`)
    await second.line(/^plugged/)
    const bob = client(labDirectory(), 'port=7', `uid=${BOB}`)
    await bob.line(/^refused 0/)
    const other = await plug('lab', labDirectory(), 2)
    first.child.stdin.write(`${frameOf(70, 1).toString('hex')}\n`)
    await other.frame('the frame', (frame) => frame.equals(frameOf(70, 1)))
    other.send(frameOf(80, 2))
    for (const one of [first, second]) {
      const [line] = await one.line(/^frame .*/)
      expect(line).toBe(`frame ${frameOf(80, 2).toString('hex')}`)
    }
    await first.stop('SIGKILL')
    await second.stop('SIGKILL')
    await other.stop()
    const [port, ...more] = await portsAre('lab', (read) => read.every(({ up }) => !up) && read.length === 1)
    expect(port).toMatchObject({ number: 7, name: '', counters: { inFrames: 1, outFrames: 2 } })
    expect(more).toEqual([])
  })

  it.each([
    ['a request of version 1', (): string[] => [`request=cefaedfe${'00'.repeat(122)}`]],
    ['a number beyond the bridge’s', (): string[] => ['port=1025']],
    ['a socket of somebody else', (): string[] => [`uid=${ANN}`, `name=${labDirectory()}/ctl`]],
    ['a path that is no socket', (): string[] => ['name=/etc/passwd']],
    ['a path that leads out and back', (): string[] => [`name=${root}/../../dev/null`]],
  ])('are refused with %s', async (_what, options) => {
    const [, octets] = await client(labDirectory(), ...options()).line(/^refused (\d+)/)
    expect(octets).toBe('0')
  })

  it('reach only what the mode of its directory lets them, or its group', async () => {
    const [why] = await client(directory('private0'), `uid=${ANN}`).line(/^unreachable.*/)
    expect(why).toBe('unreachable Permission denied')
    const [path] = await client(labDirectory(), `uid=${ANN}`).line(/^plugged .*/)
    expect(path).toContain('/v/lab/001.')
    // vde_plug opens its socket to the group and nobody else.
    const { gid } = statSync(directory('private0'))
    const who = ['setpriv', `--reuid=${BOB}`, `--regid=${BOB}`, `--groups=${gid}`]
    start(...who, 'vde_plug', directory('private0'))
    const read = await portsAre('private0', (all) => all.length === 2)
    expect(read[1]).toMatchObject({ name: `vde:${BOB}`, up: true })
  })

  it('boot QEMU from the network', async () => {
    const other = start('vde_plug', labDirectory())
    const qemu = bootFromNetwork(`vde,sock=${labDirectory()}`)
    const request = await other.frame('the request for an address', isRequestOfRom, 40_000)
    expect(request.length).toBeGreaterThan(300)
    await qemu.stop('SIGKILL')
  })

  it('plug QEMU’s datagram socket in for it', async () => {
    const other = start('vde_plug', labDirectory())
    const [own, hubs] = [join(root, 'qemu'), join(root, 'hub')]
    const address = `local.type=unix,local.path=${own},remote.type=unix,remote.path=${hubs}`
    const qemu = bootFromNetwork(`dgram,${address}`)
    await until('QEMU’s socket', () => existsSync(own))
    chmodSync(own, 0o777)
    const [, path = ''] = await client(labDirectory(), `name=${own}`).line(/^plugged (.*)/)
    symlinkSync(path, hubs)
    const request = await other.frame('the request for an address', isRequestOfRom, 40_000)
    expect(request.length).toBeGreaterThan(300)
    await qemu.stop('SIGKILL')
  })
})

describe('the hub as a client', () => {
  it('asks as vde_plug does', async () => {
    const [ours] = await refusing.line(/^[0-9a-f]{200,}$/)
    const plugged = start('vde_plug', `vde://${directory('refusing')}[9]`)
    await plugged.ended
    const theirs = refusing.lines.find((line) => line.includes(Buffer.from('vdeplug').toString('hex'))) ?? ''
    expect(fields(ours)).toEqual(['cefaedfe', '03000000', '00090000', '0100', 'padded path'])
    expect(fields(theirs)).toEqual(fields(ours))
    expect(description(theirs)).toMatch(/^vdeplug: user=root pid=\d+$/)
    expect(description(ours)).toMatch(/^hybridge: user=\w+ pid=\d+$/)
  })

  it('is plugged into vde_switch, and again when that comes back', async () => {
    const inside = await plug('private0', directory('private0'), 2)
    const outside = start('vde_plug', directory('sw'))
    await expectFrame(outside, inside, 1)
    await expectFrame(inside, outside, 2)
    await foreign.stop('SIGKILL')
    await portsAre('private0', ([port]) => port?.up === false)
    foreign = await foreignSwitch()
    await portsAre('private0', ([port]) => port?.up === true)
    await expectFrame(start('vde_plug', directory('sw')), inside, 3)
    expect(readdirSync(directory('sw')).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('may be plugged into a bridge of its own', async () => {
    const [port] = await portsAre('spare', (all) => all.length === 1 && all[0]?.up === true)
    expect(port?.name).toBe(`vde:${directory('v/far')}`)
    const far = await portsAre('far', (all) => all.some(({ up }) => up))
    expect(far[1]?.description).toMatch(/^hybridge: user=\w+ pid=\d+$/)
  })
})

describe('vde_plug through ssh', () => {
  it('is joined to a VDE switch by dpipe', async () => {
    const near = await plug('lab', labDirectory(), 1)
    start('dpipe', 'vde_plug', directory('v/far'), '=', ...ssh('lab'))
    const far = start('vde_plug', directory('v/far'))
    const read = await portsAre('lab', (all) => all.filter(({ up }) => up).length === 2)
    expect(read[1]).toMatchObject({ name: `plug:ann@${ADDRESS}`, description: `ann@${ADDRESS}` })
    await portsAre('far', (all) => all.filter(({ up }) => up).length === 3)
    const frames = [14, 60, 1514, 9234].map(frameOf)
    near.send(...frames)
    await until('frames outward', () => far.frames.length === frames.length)
    expect(far.frames).toEqual(frames)
    far.send(...frames)
    await until('frames inward', () => near.frames.length === frames.length)
    expect(near.frames).toEqual(frames)
  })

  it('carries QEMU’s stream, whose lengths have two octets more', async () => {
    const other = start('vde_plug', labDirectory())
    const cable = start(...ssh('lab'))
    const path = join(root, 'stream')
    const server = net.createServer((socket) => passStream(socket, cable))
    await new Promise<void>((resolve) => server.listen(path, resolve))
    const qemu = bootFromNetwork(`stream,server=off,addr.type=unix,addr.path=${path}`)
    const request = await other.frame('the request for an address', isRequestOfRom, 40_000)
    expect(request.length).toBeGreaterThan(300)
    await qemu.stop('SIGKILL')
    server.close()
  })

  it('takes keepalives and halves of lengths, counts short frames, and tells why it ends', async () => {
    const near = await plug('lab', labDirectory(), 1)
    const stream = start(...ssh('lab'))
    await portsAre('lab', (all) => all.filter(({ up }) => up).length === 2)
    stream.say(Uint8Array.of(0, 0, 0))
    await new Promise((resolve) => setTimeout(resolve, 50))
    stream.say(Uint8Array.of(60), frameOf(60, 5), Uint8Array.of(0, 3, 1, 2, 3))
    stream.send(frameOf(61, 6))
    await near.frame('the frame', (frame) => frame.equals(frameOf(61, 6)))
    expect(near.frames).toEqual([frameOf(60, 5), frameOf(61, 6)])
    const read = await ports('lab')
    expect(read[1]?.counters).toMatchObject({ inFrames: 2, inDrops: { short: 1 } })
    stream.say(Buffer.from('hello, world\n'))
    expect(await stream.ended).toBe(1)
    expect(stream.stderr).toContain('vde_plug: this is no VDE stream')
    const nowhere = start(...ssh('nowhere'))
    expect(await nowhere.ended).toBe(1)
    expect(nowhere.stderr).toMatch(/vde_plug: no bridge "nowhere" here; bridges: lab, far, spare, private0/)
  })

  it('ends with its input though what it was sent is not read', async () => {
    const near = await plug('lab', labDirectory(), 1)
    const stream = start(...ssh('lab'))
    await portsAre('lab', (all) => all.filter(({ up }) => up).length === 2)
    stream.child.stdout.pause()
    const frames = Array.from({ length: 4000 }, (_, i) => frameOf(1400, i))
    near.send(...frames)
    await portsAre('lab', ([first]) => (first?.counters.inFrames ?? 0) > 3000)
    stream.child.stdout.destroy()
    stream.child.stdin.end()
    expect(await stream.ended).toBe(0)
  })
})

describe('a directory that others may write in', () => {
  it('is served in, and again after a crash, whatever they put there', async () => {
    const as = [`--reuid=${BOB}`, `--regid=${BOB}`, '--clear-groups']
    const left = ['notes', ...Array.from({ length: 99 }, (_, i) => `001.${i}/x`)]
    machine.exec('setpriv', ...as, 'mkdir', '-p', ...left.map((name) => join(labDirectory(), name)))
    await plug('lab', labDirectory(), 1)
    const from = hub.process.lines.length
    await killProcess(pidOf(hub, 'fabric'))
    await hub.process.line(/lab serves VDE clients in/, { from, deadlineMs: 20_000 })
    await plug('lab', labDirectory(), 1)
    expect(await ports('lab')).toMatchObject([{ number: 1, up: true }])
    machine.exec('find', labDirectory(), '-user', String(BOB), '-delete')
  })
})

describe('the end of the hub', () => {
  it('is seen by clients, also a violent one, and leaves nothing', async () => {
    const plugged = await plug('lab', labDirectory(), 1)
    const from = hub.process.lines.length
    await killProcess(pidOf(hub, 'fabric'))
    await plugged.ended
    await hub.process.line(/lab serves VDE clients in/, { from, deadlineMs: 20_000 })
    const again = await plug('lab', labDirectory(), 1)
    expect(readdirSync(labDirectory()).filter((name) => /^\d/.test(name))).toHaveLength(1)
    expect((await hub.stop()).code).toBe(0)
    await again.ended
    expect(readdirSync(directory('v'))).toEqual([])
    expect(existsSync(directory('private0'))).toBe(false)
  })
})
