import { readFileSync, readlinkSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import * as libc from '#net/port/libc.ts'
import { congestionOf, openTcpSocket, setCongestion, setSegmentSize, setUserTimeout } from '#net/port/tcp.ts'

const opened: number[] = []
function open(family: 4 | 6): number {
  const fd = openTcpSocket(family)
  opened.push(fd)
  return fd
}
afterEach(() => {
  for (const fd of opened.splice(0)) libc.close(fd)
})

const neverCalled = (): never => {
  throw new Error('there is no C library')
}

/** O_NONBLOCK | O_CLOEXEC, as /proc shows them: octal. */
const WANTED_FLAGS = 0o2004000

describe.each([4, 6] as const)('a TCP socket of IPv%i', (family) => {
  it('does not block and is not inherited by programs', () => {
    const fd = open(family)
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toMatch(/^socket:/)
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? ''
    expect(Number.parseInt(flags, 8) & WANTED_FLAGS).toBe(WANTED_FLAGS)
  })

  it('takes the congestion control that it is given', () => {
    const fd = open(family)
    const before = congestionOf(fd)
    expect(before).toBe(readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim())
    for (const name of ['reno', 'cubic']) {
      expect(setCongestion(fd, name)).toBe(true)
      expect(congestionOf(fd)).toBe(name)
    }
  })

  it('takes the time after which the system ends it', () => {
    const fd = open(family)
    setUserTimeout(fd, 30_000)
    const [value, length] = [libc.intOctets(0), libc.intOctets(4)]
    expect(libc.getsockopt(fd, 6, 18, value, length)).toBe(0)
    expect(value).toEqual(libc.intOctets(30_000))
  })

  it('keeps what it has when the system knows none of that name', () => {
    const fd = open(family)
    const before = congestionOf(fd)
    for (const name of ['no-such', '', 'a name that is longer than any']) {
      expect(setCongestion(fd, name)).toBe(false)
      expect(congestionOf(fd)).toBe(before)
    }
  })
})

/** An option of a socket that is an int. */
function option(fd: number, level: number, name: number): number {
  const value = libc.intOctets(0)
  expect(libc.getsockopt(fd, level, name, value, libc.intOctets(4))).toBe(0)
  return new Int32Array(value.buffer)[0] ?? -1
}
const IPPROTO_TCP = 6
const TCP_MAXSEG = 2

it('takes a size of segments, before it is connected', () => {
  const fd = open(6)
  setSegmentSize(fd, 1200)
  expect(option(fd, IPPROTO_TCP, TCP_MAXSEG)).toBe(1200)
})

it('has nothing to set on what is no TCP socket', () => {
  const udp = libc.socket(libc.AF_INET, libc.SOCK_DGRAM | libc.SOCK_CLOEXEC, 0)
  opened.push(udp)
  for (const fd of [udp, -1]) {
    expect(setCongestion(fd, 'cubic')).toBe(false)
    expect(congestionOf(fd)).toBe('')
  }
})

it('does nothing where the system is not Linux', async () => {
  vi.resetModules()
  vi.doMock('#net/port/c-library.ts', () => ({ hasLibc: false, libc: { func: () => neverCalled } }))
  const elsewhere = await import('#net/port/tcp.ts')
  vi.doUnmock('#net/port/c-library.ts')
  expect(elsewhere.openTcpSocket(4)).toBe(-1)
  const fd = open(4)
  const before = congestionOf(fd)
  expect(elsewhere.setCongestion(fd, before === 'reno' ? 'cubic' : 'reno')).toBe(false)
  expect(elsewhere.congestionOf(fd)).toBe('')
  expect(congestionOf(fd)).toBe(before)
})
