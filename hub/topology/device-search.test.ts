import { describe, expect, it } from 'vitest'
import { findDevice, visibleDevices } from '#hub/topology/device-search.ts'

const topology = (name: string, owner: string, ...devices: string[]): object => ({
  name,
  owner,
  state: 'running',
  devices: devices.map((device) => ({ name: device, state: 'running', reason: '' })),
})
const STATUS = [
  topology('lab', '', 'h1', 'h2'),
  topology('own', 'ann', 'h2', 'h3'),
  topology('his', 'bob', 'h4'),
  topology('also', '', 'h1'),
]
const find = (user: string | undefined, wanted: string): string => {
  const { topology: name, device, number } = findDevice(visibleDevices(STATUS, user), wanted, user)
  return `${name}/${device} ${number}`
}

describe('a device', () => {
  it('is found by its name, alone when that is enough', () => {
    expect(find('ann', 'h3')).toBe('own/h3 2')
    expect(find('ann', 'h2')).toBe('own/h2 1')
    expect(find('ann', 'lab/h2')).toBe('lab/h2 2')
    expect(find('bob', 'h2')).toBe('lab/h2 2')
    expect(find(undefined, 'h4')).toBe('his/h4 1')
  })

  it('of another user’s topology is none', () => {
    expect(() => find('ann', 'h4')).toThrow(/no running topology of yours has a device "h4"/)
    expect(() => find('ann', 'his/h4')).toThrow(/no running topology/)
    expect(() => find('ann', 'lab')).toThrow(/no running topology/)
    expect(() => find(undefined, 'h9')).toThrow(
      /no running topology has a device "h9" \(`hybridge device list`/,
    )
  })

  it('is asked for by its full name when there are several', () => {
    expect(() => find('ann', 'h1')).toThrow(/h1 may be lab\/h1 or also\/h1 \(say which/)
    expect(() => find(undefined, 'h2')).toThrow(/h2 may be lab\/h2 or own\/h2 \(say which/)
  })
})
