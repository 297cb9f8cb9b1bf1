/** What becomes of a device whose process says what it may not; its ports with real interfaces: test/netns/device-ports.test.ts. */
import { mkdtempSync, openSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sendDescriptors } from '#net/port/descriptors.ts'
import * as libc from '#net/port/libc.ts'
import { Switch } from '#net/switch/switch.ts'
import { listenUnix, type UnixListener } from '#hub/base/unix-listener.ts'
import { DeviceLink } from '#hub/fabric/device-link.ts'
import { linkOf } from '#test/support/netns.ts'
import { formatTapStates } from '#hub/base/tap-states.ts'

const STATES = formatTapStates([{ name: 'em0', up: true, mtu: 1500 }])

let directory: string
let listener: UnixListener
let ended: string[]
let plugged: number
/** What the process does with a connection. */
let greet: (fd: number) => void
let connections: number[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'device-link-'))
  ended = []
  plugged = 0
  connections = []
  listener = listenUnix(join(directory, 'taps.sock'), 0o600, (fd) => {
    connections.push(fd)
    greet(fd)
  })
})
afterEach(() => {
  listener.close()
  for (const fd of connections) libc.close(fd)
  rmSync(directory, { recursive: true })
})

const files = (): number => open().filter((path) => path === join(directory, 'file')).length
const sockets = (): number => open().filter((path) => path.startsWith('socket:')).length

function newLink(): DeviceLink {
  const entry = new Switch({ name: 'lan' }).addEntry()
  return new DeviceLink({
    device: 'h1',
    directory,
    ports: [{ interface: 'em0', entry }],
    onPorts: () => plugged++,
    onEnd: (why) => ended.push(why),
  })
}

const say = (fd: number, text: string, descriptors: readonly number[] = []): void => {
  sendDescriptors(fd, new TextEncoder().encode(text), descriptors)
}
/** Descriptors that a process may have. */
const file = (): number => openSync(join(directory, 'file'), 'w+')
/** What this process has open. */
const open = (): string[] => readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`))

it.each([
  ['no interfaces', /^it does not tell of em0/, (fd: number) => say(fd, STATES)],
  ['a line that is none', /makes no sense/, (fd: number) => say(fd, 'hello\n')],
  ['a file for an interface', /no TAP interface/, (fd: number) => say(fd, STATES, [file()])],
  ['its own connection for an interface', /no TAP interface/, (fd: number) => say(fd, STATES, [fd])],
  ['too many descriptors', /2 descriptors for 1 port/, (fd: number) => say(fd, STATES, [file(), file()])],
  ['a line without end', /endless/, (fd: number) => say(fd, 'x'.repeat(16_384))],
])('a process that sends %s is let go', async (_, why, hostile) => {
  greet = hostile
  const link = newLink()
  link.connect()
  await expect.poll(() => ended.length).toBe(1)
  expect(ended[0]).toMatch(why)
  expect(plugged).toBe(0)
})

it('descriptors that are no interfaces do not stay open', async () => {
  const given = file()
  greet = (fd) => say(fd, STATES, [given])
  const link = newLink()
  for (let i = 1; i <= 20; i++) {
    link.connect()
    await expect.poll(() => ended.length).toBe(i)
    for (const fd of connections.splice(0)) libc.close(fd)
  }
  await expect.poll(files).toBe(1)
  libc.close(given)
})

it('follows no link to another socket', () => {
  renameSync(join(directory, 'taps.sock'), join(directory, 'other.sock'))
  symlinkSync('other.sock', join(directory, 'taps.sock'))
  const before = sockets()
  newLink().connect()
  expect(sockets()).toBe(before)
  expect(ended).toEqual([])
})

it('waits for a process that is not there, and takes no file for it', () => {
  rmSync(join(directory, 'taps.sock'))
  const link = newLink()
  const before = sockets()
  link.connect()
  writeFileSync(join(directory, 'taps.sock'), '')
  link.connect()
  expect(sockets()).toBe(before)
})
