import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { parseProxy, webProxyOf } from '#agent/way/proxy-address.ts'
import { ConfigError } from '#net/base/errors.ts'

describe('parseProxy', () => {
  it.each([
    ['http://proxy.example:3128', { kind: 'http', host: 'proxy.example', port: 3128 }],
    ['http://proxy.example', { kind: 'http', port: 80, user: undefined }],
    ['https://proxy.example/', { kind: 'https', port: 443 }],
    ['socks5://[fd00::1]:1081', { kind: 'socks5', host: 'fd00::1', port: 1081 }],
    ['socks5h://proxy', { kind: 'socks5', host: 'proxy', port: 1080 }],
    ['http://ann:a%3Ab%40c@10.0.0.1:8080', { user: 'ann', password: 'a:b@c', host: '10.0.0.1' }],
    ['http://ann@10.0.0.1:8080', { user: 'ann', password: undefined }],
  ])('reads %s', (text, proxy) => {
    expect(parseProxy(text, '--proxy')).toMatchObject(proxy)
  })

  it('takes none for none', () => {
    expect(parseProxy('NONE', '--proxy')).toBeUndefined()
  })

  it.each([
    ['proxy:3128', 'proxy is not spoken here'],
    ['10.0.0.1:3128', 'it is no URL'],
    ['ftp://proxy', 'ftp is not spoken here'],
    ['socks4://proxy', '(socks5 is)'],
    ['http://proxy/path', 'there is a path'],
    ['http://proxy:65536', 'it is no URL'],
    ['http://a%zz@proxy', 'is to be written as %25'],
    [`http://ann:${'x'.repeat(256)}@proxy`, 'too long'],
    [`http://${'%C3%A9'.repeat(128)}@proxy`, 'too long'],
    ['http://a%3Ab:c@proxy', 'colon'],
  ])('refuses %s', (text, why) => {
    expect(() => parseProxy(text, '--proxy')).toThrow(why)
    expect(() => parseProxy(text, '--proxy')).toThrow(ConfigError)
  })

  it('never repeats what may be a password', () => {
    const secret = 'Zz9qQ'
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, behind) => {
        const error = errorOf(() => parseProxy(`http:${before}${secret}${behind}`, '--proxy'))
        expect(error === undefined || error instanceof ConfigError).toBe(true)
        expect(String(error)).not.toContain(secret)
      }),
    )
  })
})

function errorOf(action: () => unknown): unknown {
  try {
    action()
    return undefined
  } catch (error) {
    return error
  }
}

const of = (env: NodeJS.ProcessEnv, host = 'hub.example.org') => webProxyOf(env, host)?.text

describe('webProxyOf', () => {
  it('takes the first that is set, of HTTP when it has no scheme', () => {
    expect(of({})).toBeUndefined()
    expect(of({ ALL_PROXY: 'socks5://a', HTTPS_PROXY: 'b:1' })).toBe('http://b:1')
    expect(of({ ALL_PROXY: 'socks5://a', https_proxy: '' })).toBe('socks5://a')
    expect(webProxyOf({ all_proxy: 'http://c' }, 'h')).toEqual({ text: 'http://c', source: '$all_proxy' })
  })

  it.each([
    ['*', true],
    ['example.org', true],
    ['.example.org', true],
    ['*.example.org', true],
    ['other, HUB.example.org:443', true],
    ['ample.org', false],
    ['hub', false],
    ['', false],
  ])('leaves out what NO_PROXY names: %s', (exempt, isExempt) => {
    expect(of({ https_proxy: 'http://p', NO_PROXY: exempt })).toBe(isExempt ? undefined : 'http://p')
  })

  it('knows IPv6 addresses', () => {
    expect(of({ https_proxy: 'http://p', no_proxy: '[fd00::1]:443' }, 'fd00::1')).toBeUndefined()
    expect(of({ https_proxy: 'http://p', no_proxy: 'fd00::1' }, 'fd00::1')).toBeUndefined()
    expect(of({ https_proxy: 'http://p', no_proxy: 'fd00::2' }, 'fd00::1')).toBe('http://p')
  })
})
