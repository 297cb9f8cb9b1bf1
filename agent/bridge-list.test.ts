import { describe, expect, it } from 'vitest'

import { formatListing, parseListing } from '#agent/bridge-list.ts'
import { ExitError } from '#agent/exit-codes.ts'
import { derivePortKey } from '#agent/link/port-key.ts'
import { excerpt } from '#agent/excerpt.ts'
import { packageVersion } from '#agent/version.ts'

describe('parseListing', () => {
  it('takes the list and keeps what it does not know', () => {
    expect(parseListing('[{"name":"private0","ports":2}]')).toEqual([{ name: 'private0', ports: 2 }])
    expect(parseListing('{"bridges":[{"name":"a"}]}')).toEqual([{ name: 'a' }])
  })

  it.each(['', 'hello', '{}', '[{"name":1}]', '[1]'])('refuses %j', (text) => {
    expect(() => parseListing(text)).toThrow(ExitError)
  })

  it('prints a name a line, and nothing that a terminal obeys', () => {
    expect(formatListing([{ name: 'a' }, { name: '\u001b[2Jb' }])).toBe('a\n[2Jb\n')
    expect(excerpt(`x\u009by${'z'.repeat(400)}`)).toHaveLength(300)
  })
})

describe('derivePortKey', () => {
  it('is the same for the same interface of the same machine only', () => {
    const key = derivePortKey('id', '02:00:00:00:00:01', 'eth1')
    expect(key).toMatch(/^[0-9a-f]{64}$/)
    expect(derivePortKey('id', '02:00:00:00:00:01', 'eth1')).toBe(key)
    expect(
      new Set([
        key,
        derivePortKey('id2', '02:00:00:00:00:01', 'eth1'),
        derivePortKey('id', '02:00:00:00:00:02', 'eth1'),
        derivePortKey('id', '02:00:00:00:00:01', 'eth2'),
      ]).size,
    ).toBe(4)
  })
})

it("finds the package's version", () => {
  expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/)
})
