import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { allowFarReceiving, allowFarSending, bufferLimits } from '#net/port/far-buffers.ts'
import * as libc from '#net/port/libc.ts'
import { openTcpSocket } from '#net/port/tcp.ts'

vi.mock('node:fs', async (load) => {
  const fs = await load<typeof import('node:fs')>()
  return { ...fs, readFileSync: vi.fn<typeof fs.readFileSync>(fs.readFileSync) }
})

const IPPROTO_TCP = 6
const TCP_NOTSENT_LOWAT = 25
const DOUBLED = 64 << 20

const opened: number[] = []
function open(): number {
  const fd = openTcpSocket(4)
  opened.push(fd)
  return fd
}
afterEach(() => {
  for (const fd of opened.splice(0)) libc.close(fd)
  vi.restoreAllMocks()
})

/** An option of a socket that is an int. */
function option(fd: number, level: number, name: number): number {
  const value = libc.intOctets(0)
  expect(libc.getsockopt(fd, level, name, value, libc.intOctets(4))).toBe(0)
  return new Int32Array(value.buffer)[0] ?? -1
}

/** What the system's settings say from now on. */
function settingsSay(rmem: string, wmem: string): void {
  vi.mocked(readFileSync).mockImplementation((path) => (String(path).endsWith('tcp_rmem') ? rmem : wmem))
}

/** As a process without the right. */
function refuse(): void {
  const real = libc.setsockopt
  vi.spyOn(libc, 'setsockopt').mockImplementation((fd, level, name, value, length) =>
    name === libc.SO_SNDBUFFORCE || name === libc.SO_RCVBUFFORCE ? -1 : real(fd, level, name, value, length),
  )
}

const isPrivileged = allowFarSendingOnce()
function allowFarSendingOnce(): boolean {
  const fd = openTcpSocket(4)
  const isAllowed = allowFarSending(fd)
  libc.close(fd)
  return isAllowed
}

describe('buffers for far paths', () => {
  it('let much be under way where the right to that is there, and little that is not sent', () => {
    const fd = open()
    const before = option(fd, libc.SOL_SOCKET, libc.SO_SNDBUF)
    expect(allowFarSending(fd)).toBe(isPrivileged)
    expect(option(fd, libc.SOL_SOCKET, libc.SO_SNDBUF)).toBe(isPrivileged ? DOUBLED : before)
    expect(option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT)).toBe(isPrivileged ? 1 << 20 : 0)
  })

  it('are nothing without a socket', () => {
    expect(allowFarSending(-1)).toBe(false)
  })

  it("receive as much where the system stops before, and are the system's own elsewhere", () => {
    const far = open()
    const before = option(far, libc.SOL_SOCKET, libc.SO_RCVBUF)
    settingsSay('4096 131072 33554432', '')
    expect(allowFarReceiving(far)).toBe(false)
    expect(option(far, libc.SOL_SOCKET, libc.SO_RCVBUF)).toBe(before)
    settingsSay('4096\t131072\t6291456\n', '')
    expect(allowFarReceiving(far)).toBe(isPrivileged)
    expect(option(far, libc.SOL_SOCKET, libc.SO_RCVBUF)).toBe(isPrivileged ? DOUBLED : before)
  })

  it('are bounded by the settings of the system without the right to force them', () => {
    refuse()
    settingsSay('4096\t131072\t33554432\n', '4096\t16384\t4194304\n')
    for (const whose of ['begun', 'accepted'] as const)
      expect(bufferLimits(whose)).toEqual({ sendOctets: 4 << 20, receiveOctets: 16 << 20 })
    settingsSay('4096\t131072\t6291456\n', '4096\t16384\t4194304\n')
    expect(bufferLimits('begun')).toEqual({ sendOctets: 4 << 20, receiveOctets: 3 << 20 })
  })

  it('are not bounded with the right to force them, but for what strangers may fill', () => {
    settingsSay('4096\t131072\t6291456\n', '4096\t16384\t4194304\n')
    const bounded = { sendOctets: 4 << 20, receiveOctets: 3 << 20 }
    const free = { sendOctets: Infinity, receiveOctets: Infinity }
    expect(bufferLimits('begun')).toEqual(isPrivileged ? free : bounded)
    expect(bufferLimits('accepted')).toEqual(isPrivileged ? { ...bounded, sendOctets: Infinity } : bounded)
  })

  it('are not known to be bounded where the system has no such settings', () => {
    refuse()
    settingsSay('', '')
    expect(bufferLimits('begun')).toEqual({ sendOctets: Infinity, receiveOctets: Infinity })
  })
})
