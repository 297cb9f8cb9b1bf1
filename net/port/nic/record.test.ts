import { describe, expect, it } from 'vitest'
import {
  type NicRecord,
  formatRecord,
  isAlive,
  isSameOwner,
  newOwner,
  parseRecord,
} from '#net/port/nic/record.ts'

const owner = newOwner()
const record: NicRecord = {
  index: 3,
  name: 'eth1',
  address: '02:00:00:00:00:01',
  mtu: { before: 1500, set: 9216 },
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
      { ...record, mtu: { before: '1500', set: 9216 } },
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
})
