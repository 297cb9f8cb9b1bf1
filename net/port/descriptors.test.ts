import { execFileSync } from 'node:child_process'
import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { libc as library } from '#net/port/c-library.ts'
import { receiveDescriptors, sendDescriptors } from '#net/port/descriptors.ts'
import * as libc from '#net/port/libc.ts'
import { u32le } from '#net/wire/octets.ts'

const socketpair = library.func('int socketpair(int, int, int, void*)')
const O_CLOEXEC = 0o2000000

let near: number
let far: number
let directory: string
const files: number[] = []
const octets = new Uint8Array(16_384)
const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const isOpen = (fd: number): boolean => readdirSync('/proc/self/fd').includes(String(fd))

beforeEach(() => {
  const ends = new Uint8Array(8)
  socketpair(libc.AF_UNIX, libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0, ends)
  near = u32le(ends, 0)
  far = u32le(ends, 4)
  directory = mkdtempSync(join(tmpdir(), 'descriptors-'))
})
afterEach(() => {
  for (const fd of [near, far, ...files.splice(0)]) if (isOpen(fd)) libc.close(fd)
  rmSync(directory, { recursive: true })
})

function newFiles(count: number): number[] {
  const made = Array.from({ length: count }, (_, i) => openSync(join(directory, `${i}`), 'w'))
  files.push(...made)
  return made
}

it.each([0, 1, 2, 3, 64])('%i descriptors arrive in their order with the octets', (count) => {
  const sent = newFiles(count)
  expect(sendDescriptors(near, text('words\n'), sent)).toBe(true)
  const { count: length, descriptors, isCut } = receiveDescriptors(far, octets)
  files.push(...descriptors)
  expect(new TextDecoder().decode(octets.subarray(0, length))).toBe('words\n')
  expect(isCut).toBe(false)
  expect(descriptors.map((fd) => fstatSync(fd).ino)).toEqual(sent.map((fd) => fstatSync(fd).ino))
  expect(new Set([...sent, ...descriptors]).size).toBe(2 * count)
  for (const fd of descriptors) {
    const [, flags = ''] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? []
    expect(Number.parseInt(flags, 8) & O_CLOEXEC).toBe(O_CLOEXEC)
  }
})

it('what is sent stays the sender’s', () => {
  const [fd = -1] = newFiles(1)
  sendDescriptors(near, text('x'), [fd])
  files.push(...receiveDescriptors(far, octets).descriptors)
  expect(isOpen(fd)).toBe(true)
})

it('refuses more than it may send, and nothing goes out', () => {
  expect(sendDescriptors(near, text('x'), newFiles(65))).toBe(false)
  expect(sendDescriptors(near, new Uint8Array(16_385), [])).toBe(false)
  expect(receiveDescriptors(far, octets).count).toBe(-libc.EAGAIN)
})

it('says when there are more than are taken, and has none of those beyond', () => {
  const script = 'import socket,sys; s=socket.socket(fileno=3); socket.send_fds(s,[b"x"],[0]*200)'
  execFileSync('/usr/bin/python3', ['-c', script], { stdio: ['ignore', 'ignore', 'inherit', near] })
  const before = readdirSync('/proc/self/fd').length
  const { count, descriptors, isCut } = receiveDescriptors(far, octets)
  files.push(...descriptors)
  expect([count, descriptors.length, isCut]).toEqual([1, 64, true])
  expect(readdirSync('/proc/self/fd').length).toBe(before + 64)
})

it('takes no more octets than there is room for', () => {
  sendDescriptors(near, text('abcdef'), [])
  expect(receiveDescriptors(far, octets.subarray(0, 4)).count).toBe(4)
  expect(receiveDescriptors(far, octets).count).toBe(2)
})

it('tells that the far side has closed, or that the socket does not take it', () => {
  libc.close(near)
  expect(receiveDescriptors(far, octets).count).toBe(0)
  expect(sendDescriptors(far, text('x'), newFiles(1))).toBe(false)
})

it('leaves nothing open after a thousand', () => {
  const [fd = -1] = newFiles(1)
  const before = readdirSync('/proc/self/fd').length
  for (let i = 0; i < 1000; i++) {
    sendDescriptors(near, text('x'), [fd, fd])
    for (const received of receiveDescriptors(far, octets).descriptors) closeSync(received)
  }
  expect(readdirSync('/proc/self/fd').length).toBe(before)
})
