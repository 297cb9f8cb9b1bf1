import { describe, expect, it } from 'vitest'
import { callFilter } from '#hub/device/host/call-filter.ts'
import { u16le, u32le } from '#net/wire/octets.ts'

const X64 = {
  audit: 0xc000_003e,
  socket: 41,
  socketpair: 53,
  syslog: 103,
  setgroups: 116,
  foreign: 0x4000_0000,
}
const ALLOWED = 0x7fff_0000
const failed = (errno: number): number => 0x0005_0000 | errno

/** What the kernel does with a filter of these few instructions. @returns the verdict */
function judge(filter: Uint8Array, number: number, argument = 0, audit = X64.audit): number {
  const data = new Map([
    [0, number],
    [4, audit],
    [16, argument],
  ])
  let value = 0
  for (let at = 0; ; at += 8) {
    const [code, k] = [u16le(filter, at), u32le(filter, at + 4)]
    if (code === 0x20) value = data.get(k) ?? 0
    else if (code === 0x06) return k
    else at += 8 * (filter[at + ((code === 0x15 ? value === k : (value & k) !== 0) ? 2 : 3)] ?? 0)
  }
}

describe('filter of system calls', () => {
  const filter = callFilter(X64, true)

  it('lets sockets be of families that network namespaces part', () => {
    const families = Array.from({ length: 64 }, (_, family) => family)
    for (const call of [X64.socket, X64.socketpair])
      expect(families.filter((family) => judge(filter, call, family) === ALLOWED)).toEqual([
        1, 2, 10, 15, 16, 17,
      ])
    expect(judge(filter, X64.socket, 40)).toBe(failed(97)) // AF_VSOCK
  })

  it('has no io_uring, no kernel log, no calls of other architectures', () => {
    expect(judge(filter, 425)).toBe(failed(38))
    expect(judge(filter, X64.syslog)).toBe(failed(1))
    expect(judge(filter, X64.foreign + X64.socket, 40)).toBe(failed(38))
    expect(judge(filter, 359, 40, 0x4000_0003)).toBe(failed(38)) // i386
  })

  it('answers setgroups with success where root is alone, and lets every other call be', () => {
    expect(judge(callFilter(X64, false), X64.setgroups)).toBe(failed(0))
    expect(judge(filter, X64.setgroups)).toBe(ALLOWED)
    for (const number of [0, 40, 42, 115, 117, 424, 426]) expect(judge(filter, number)).toBe(ALLOWED)
  })
})
