import { describe, expect, it, vi } from 'vitest'
import {
  type NicRecord,
  formatRecord,
  isAlive,
  isSameOwner,
  mergeUnwritten,
  newOwner,
  parseRecord,
  withOwner,
} from '#net/port/nic/record.ts'

/** Above what Linux gives. */
const NO_PID = 1 << 22
const owner = newOwner()
const record: NicRecord = {
  boot: '01234567-89ab-cdef-0123-456789abcdef',
  index: 3,
  name: 'eth1',
  address: '02:00:00:00:00:01',
  mtu: { before: 1500, set: [9000, 9216] },
  ipv6Mtu: 1280,
  broughtUp: true,
  ipv6Off: false,
  featuresOff: ['rx-gro-list'],
  owners: [owner],
}

describe('parseRecord', () => {
  it('reads what formatRecord writes', () => {
    expect(parseRecord(formatRecord(record))).toEqual(record)
    expect(parseRecord(formatRecord({ ...record, mtu: undefined }))).toEqual({ ...record, mtu: undefined })
  })

  it('reads nothing else', () => {
    const text = formatRecord(record)
    for (let length = 0; length < text.length - 2; length++)
      expect(parseRecord(text.slice(0, length))).toBe(undefined)
    const spoilt: unknown[] = [null, [], 7, 'text', {}, { ...record, more: 1 }, { ...record, owners: {} }]
    spoilt.push({ ...record, index: -1 }, { ...record, index: 1.5 }, { ...record, address: '../../etc' })
    spoilt.push(
      { ...record, mtu: { before: '1500', set: [9216] } },
      { ...record, mtu: { before: 1500, set: [] } },
      { ...record, boot: '/etc/passwd' },
      { ...record, featuresOff: ['rx lro; reboot'] },
    )
    spoilt.push({ ...record, owners: [{ ...owner, startTime: 'now' }] }, { ...record, broughtUp: 'yes' })
    for (const what of spoilt) expect(parseRecord(JSON.stringify(what))).toBe(undefined)
  })
})

describe('an owner', () => {
  it('is a port of a process that lives', () => {
    expect(isAlive(owner)).toBe(true)
    expect(isAlive({ ...owner, startTime: '1' })).toBe(false)
    const other = newOwner()
    expect(isSameOwner(owner, { ...owner })).toBe(true)
    expect(isSameOwner(owner, other)).toBe(false)
  })

  it("is one even when /proc does not show the process, as it is another user's", () => {
    const kill = vi.spyOn(process, 'kill')
    const hidden = { ...owner, pid: NO_PID }
    for (const [code, lives] of [
      ['EPERM', true],
      ['ESRCH', false],
    ] as const) {
      kill.mockImplementation(() => {
        throw Object.assign(new Error(code), { code })
      })
      expect(isAlive(hidden)).toBe(lives)
      // What can be seen is not asked.
      expect(isAlive({ ...owner, startTime: '1' })).toBe(false)
    }
    kill.mockRestore()
    expect(isAlive(hidden)).toBe(false)
  })

  it('is there once, however often it is added', () => {
    const other = newOwner()
    expect(withOwner(withOwner([owner], other), owner)).toEqual([other, owner])
  })
})

describe('mergeUnwritten', () => {
  const other = { pid: 1, startTime: '7', port: 0 }
  const gone = { pid: 2, startTime: '8', port: 0 }

  it('takes what could not be written, and from the file who else bridges the interface', () => {
    const own = { ...record, broughtUp: false, owners: [gone, owner] }
    expect(mergeUnwritten({ ...record, owners: [other] }, own)).toEqual({ ...own, owners: [other, owner] })
    expect(mergeUnwritten(undefined, own)).toEqual({ ...own, owners: [owner] })
  })

  it('leaves a file that could not be removed to others alone', () => {
    expect(mergeUnwritten(record, undefined)).toBe(undefined)
    expect(mergeUnwritten(undefined, undefined)).toBe(undefined)
    const file = { ...record, owners: [owner, other] }
    expect(mergeUnwritten(file, undefined)).toEqual({ ...file, owners: [other] })
  })
})
