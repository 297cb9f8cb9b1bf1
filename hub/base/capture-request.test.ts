import { describe, expect, it } from 'vitest'
import { ConfigError } from '#net/base/errors.ts'
import { CaptureRequest, captureRequest } from '#hub/base/capture-request.ts'

const direction = (words: object): string => captureRequest({ bridge: 'a', ...words }, '').direction

describe('captureRequest', () => {
  it('shows a bridge once, a port and drops both ways, unless it is told', () => {
    expect(direction({})).toBe('once')
    expect(direction({ port: '3' })).toBe('both')
    expect(direction({ drops: true })).toBe('both')
    expect(direction({ port: '3', direction: 'in' })).toBe('in')
    expect(direction({ direction: 'both' })).toBe('both')
  })

  it('is what the fabric takes', () => {
    const request = captureRequest(
      { bridge: 'a', port: '1024', filter: 'arp', drops: true, snap: '0', count: '5', seconds: '60' },
      'ann',
    )
    expect(request).toEqual({
      bridge: 'a',
      port: 1024,
      user: 'ann',
      filter: 'arp',
      direction: 'both',
      drops: true,
      snap: 262_144,
      count: 5,
      seconds: 60,
    })
    expect(CaptureRequest.parse(JSON.parse(JSON.stringify(request)))).toEqual(request)
    expect(captureRequest({ bridge: 'a', filter: ' ' }, '')).not.toHaveProperty('filter')
  })

  it.each([
    [{ port: '0' }, 'PORT is a number from 1 to 1024, not "0"'],
    [{ port: 'eth0' }, 'not "eth0"'],
    [{ direction: 'once' }, '--direction is in, out or both, not "once"'],
    [{ snap: '262145' }, '--snaplen is a number from 0 to 262144'],
    [{ count: '0' }, '--count is a number from 1'],
    [{ count: '1e3' }, 'not "1e3"'],
    [{ seconds: '0.5' }, '--duration is a number from 1 to 604800'],
    [{ filter: 'arp or '.repeat(200) }, 'the filter is longer than 1024 characters'],
  ])('refuses %j', (words, why) => {
    expect(() => captureRequest({ bridge: 'a', ...words }, '')).toThrow(new ConfigError(why).message)
    expect(() => captureRequest({ bridge: 'a', ...words }, '')).toThrow(ConfigError)
  })
})
