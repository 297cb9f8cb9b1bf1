import { describe, expect, it } from 'vitest'

import { formatHubAddress, parseHubAddress } from '#agent/hub-address.ts'

describe('parseHubAddress', () => {
  it.each([
    ['hub.example', 'hub.example', undefined],
    ['hub:22', 'hub', 22],
    ['10.0.0.1:2222', '10.0.0.1', 2222],
    ['::1', '::1', undefined],
    ['[::1]', '::1', undefined],
    ['[fe80::1%eth0]:2222', 'fe80::1%eth0', 2222],
  ])('%s', (text, host, port) => {
    expect(parseHubAddress(text)).toEqual({ host, port })
  })

  it.each([
    '',
    ':22',
    'hub:',
    'hub:0',
    'hub:65536',
    'hub:x',
    '[::1',
    '[hub]:22',
    '-oProxyCommand=x',
    'a b',
    'a:b:c',
    'ssh://hub',
  ])('refuses %j', (text) => {
    expect(() => parseHubAddress(text)).toThrow('bad hub address')
  })

  it('reads what it formats', () => {
    expect(parseHubAddress(formatHubAddress('::1', 22))).toEqual({ host: '::1', port: 22 })
    expect(formatHubAddress('hub', 22)).toBe('hub:22')
  })
})
