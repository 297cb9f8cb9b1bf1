import { expect, it } from 'vitest'
import { setGroupsFilter } from '#hub/device/host/group-filter.ts'
import { u16le, u32le } from '#net/wire/octets.ts'

/** What the kernel does with a filter of these few instructions. @returns the verdict */
function judge(filter: Uint8Array, audit: number, number: number): number {
  let value = 0
  for (let at = 0; ; at += 8) {
    const [code, k] = [u16le(filter, at), u32le(filter, at + 4)]
    if (code === 0x20) value = k === 0 ? number : audit
    else if (code === 0x15) at += 8 * (filter[at + (value === k ? 2 : 3)] ?? 0)
    else return k
  }
}

it('answers setgroups with success, and lets every other call and architecture be', () => {
  const filter = setGroupsFilter(0xc000_003e, 116)
  expect(judge(filter, 0xc000_003e, 116)).toBe(0x0005_0000)
  expect(judge(filter, 0xc000_003e, 115)).toBe(0x7fff_0000)
  expect(judge(filter, 0x4000_0003, 116)).toBe(0x7fff_0000)
})
