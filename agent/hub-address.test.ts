import { describe, expect, it } from 'vitest'

import { formatHubAddress, parseHubAddress, parseHubUrl } from '#agent/hub-address.ts'

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

  it('names what it is the address of', () => {
    expect(() => parseHubAddress('a b', 'jump host')).toThrow('bad jump host address')
  })

  it('reads what it formats', () => {
    expect(parseHubAddress(formatHubAddress('::1', 22))).toEqual({ host: '::1', port: 22 })
    expect(formatHubAddress('hub', 22)).toBe('hub:22')
  })
})

describe('parseHubUrl', () => {
  it.each([
    ['wss://hub.example', { host: 'hub.example', port: 443, path: '/' }],
    ['WSS://hub.example:8443/lab/a-b', { host: 'hub.example', port: 8443, path: '/lab/a-b' }],
    ['wss://[fd00::1]/', { host: 'fd00::1', port: 443, path: '/' }],
  ])('reads %s', (text, url) => {
    expect(parseHubUrl(text)).toEqual(url)
  })

  it('leaves what is no URL to others', () => {
    for (const text of ['hub', 'hub:22', '[::1]:22', '']) expect(parseHubUrl(text)).toBeUndefined()
  })

  it.each([
    'ssh://hub',
    'ws://hub',
    'https://hub',
    'wss://',
    'wss://ann@hub',
    'wss://hub/a b',
    'wss://hub/?x',
    'wss://hub:0',
  ])('refuses %s', (text) => {
    expect(() => parseHubUrl(text)).toThrow('bad hub address')
  })
})
