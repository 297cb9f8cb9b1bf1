import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import * as libc from '#net/port/libc.ts'
import { SOCKADDR_UN, unixAddress } from '#net/port/unix-address.ts'
import { decodeReply, encodeRequest, pathOf } from '#net/port/vde/handshake.ts'
import { Switch } from '#net/switch/switch.ts'
import { PortAccessTable } from '#hub/vde/port-access.ts'
import { VdeServer } from '#hub/vde/server.ts'
import { until } from '#test/support/process.ts'

let directory: string
let bridge: Switch
let access: PortAccessTable
let server: VdeServer
const said: string[] = []
const clients: Client[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-vde-'))
  bridge = new Switch({ name: 'lab' })
  access = new PortAccessTable()
  server = new VdeServer({
    directory,
    mode: 0o600,
    switch: bridge,
    access,
    say: (_level, text) => said.push(text),
  })
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  server.close()
  bridge.close()
  said.splice(0)
  rmSync(directory, { recursive: true, force: true })
})

/** A client of VDE in this process. */
class Client {
  readonly ctl = net.connect(join(directory, 'ctl'))
  readonly fd = libc.socket(libc.AF_UNIX, libc.SOCK_DGRAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0)
  readonly path = join(directory, `.0000${clients.length}-00000`)
  /** What the switch says; undefined before. */
  answer: Buffer | undefined
  hungUp = false

  constructor() {
    libc.bind(this.fd, unixAddress(this.path), SOCKADDR_UN)
    this.ctl.on('data', (octets) => (this.answer = octets))
    this.ctl.on('close', () => (this.hungUp = true))
    this.ctl.on('error', () => {}) // 'close' follows
    clients.push(this)
  }

  request(port = 0): Uint8Array {
    const address = unixAddress(this.path)
    return encodeRequest({ port, isManagement: false, address, description: `client ${this.path.slice(-6)}` })
  }

  /** Asks for a port. @returns the name of the switch's socket, undefined when it hangs up */
  async plugIn(port?: number): Promise<string | undefined> {
    this.ctl.write(this.request(port))
    await until('an answer', () => this.answer !== undefined || this.hungUp)
    if (this.answer === undefined) return undefined
    const address = decodeReply(this.answer)
    libc.connect(this.fd, address, SOCKADDR_UN)
    return Buffer.from(pathOf(address) ?? [])
      .toString()
      .slice(directory.length + 1)
  }

  close(): void {
    this.ctl.destroy()
    libc.close(this.fd)
  }
}

const numbers = (): number[] => bridge.ports().map(({ number }) => number)

it('gives the lowest number that is free, and takes it back', async () => {
  bridge.addEntry(1).isReserved = true
  bridge.addEntry(2)
  bridge.addEntry(3)
  access.set(2, { allocatable: false })
  const names = [await new Client().plugIn(), await new Client().plugIn()]
  expect(names).toEqual([expect.stringMatching(/^003\.\d+$/), expect.stringMatching(/^004\.\d+$/)])
  for (const client of clients.splice(0)) client.close()
  await until('they have left', () => server.endpoints().length === 0)
  expect(numbers()).toEqual([1, 2, 3])
  expect(readdirSync(directory).filter((name) => /^\d/.test(name))).toEqual([])
})

it('gives the number that is asked for, which stays; not one that is reserved or too high', async () => {
  bridge.addEntry(5).isReserved = true
  expect(await new Client().plugIn(7)).toMatch(/^007\./)
  expect(await new Client().plugIn(5)).toBeUndefined()
  expect(await new Client().plugIn(1025)).toBeUndefined()
  for (const client of clients.splice(0)) client.close()
  await until('they have left', () => server.endpoints().length === 0)
  expect(numbers()).toEqual([5, 7])
  expect(said.filter((line) => line.startsWith('refused'))).toEqual([
    "refused a VDE client on lab: port 5 is somebody else's",
  ])
})

it('lists clients and unplugs one', async () => {
  const first = new Client()
  const second = new Client()
  await first.plugIn(3)
  await second.plugIn(3)
  const [one, two, ...more] = server.endpoints()
  const uid = process.geteuid?.()
  expect(one).toEqual({ id: expect.any(Number), port: 3, uid, description: 'client -00000' })
  expect(more).toEqual([])
  expect(bridge.entry(3)?.isUp).toBe(true)
  expect(server.closeEndpoint(3, -1)).toBe(false)
  expect(server.closeEndpoint(4, one?.id ?? 0)).toBe(false)
  expect(server.closeEndpoint(3, one?.id ?? 0)).toBe(true)
  await until('the end', () => first.hungUp)
  expect(server.endpoints()).toEqual([two])
  expect([second.hungUp, bridge.entry(3)?.isUp]).toEqual([false, true])
})

it('takes a request in pieces, and ends a client that says more, or nothing for 5 s', async () => {
  const slow = new Client()
  slow.ctl.write(slow.request().subarray(0, 60))
  await until('it is connected', () => slow.ctl.bytesWritten === 60)
  slow.ctl.write(slow.request().subarray(60))
  await until('the answer', () => slow.answer !== undefined)
  slow.ctl.write('more')
  await until('the end', () => slow.hungUp)

  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const silent = new Client()
  const connected = new Promise((resolve) => silent.ctl.once('connect', resolve))
  await connected
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve)) // it is accepted
  vi.advanceTimersByTime(4999)
  expect(silent.hungUp).toBe(false)
  vi.advanceTimersByTime(1)
  vi.useRealTimers()
  await until('the end', () => silent.hungUp)
})

it('sends frames of one to the others of other ports only', async () => {
  const [a, b, c] = [new Client(), new Client(), new Client()]
  await a.plugIn(1)
  await b.plugIn(1)
  await c.plugIn(2)
  const frame = Buffer.alloc(60, 255)
  frame.fill(2, 6, 12)
  libc.sendBuffer(a.fd, frame, frame.length, 0)
  const hear = (client: Client): number => {
    const octets = new Uint8Array(100)
    return libc.recvBuffer(client.fd, octets, octets.length, libc.MSG_DONTWAIT)
  }
  await until('the frame', () => hear(c) === 60)
  expect([hear(a), hear(b)]).toEqual([-1, -1])
  frame.fill(4, 6, 12)
  libc.sendBuffer(c.fd, frame, frame.length, 0)
  await until('the answer', () => hear(a) === 60)
  expect([hear(b), hear(c)]).toEqual([60, -1])
  expect(bridge.ports().map(({ counters }) => [counters.inFrames, counters.outFrames])).toEqual([
    [1, 2],
    [1, 1],
  ])
})

it('leaves nothing when it closes, not even clients', async () => {
  const client = new Client()
  await client.plugIn()
  rmSync(client.path)
  server.close()
  await until('the end', () => client.hungUp)
  expect(existsSync(directory)).toBe(false)
  expect(numbers()).toEqual([])
})
