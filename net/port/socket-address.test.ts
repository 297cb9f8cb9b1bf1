import { describe, expect, it } from 'vitest'
import { linkIndex } from '#net/port/nic/link.ts'
import { isOwnAddress, socketAddress, sourceAddress } from '#net/port/socket-address.ts'

const hex = (octets: Uint8Array | undefined): string | undefined =>
  octets && Buffer.from(octets).toString('hex')

describe('socketAddress', () => {
  it('writes both families, and the interface that a zone names', () => {
    expect(hex(socketAddress('192.0.2.1', 2222))).toBe('020008aec00002010000000000000000')
    expect(hex(socketAddress('2001:db8::1', 22))).toBe(
      '0a0000160000000020010db800000000000000000000000100000000',
    )
    const scope = Buffer.alloc(4)
    scope.writeUInt32LE(linkIndex('lo'))
    expect(hex(socketAddress('fe80::1%lo', 22))?.slice(-8)).toBe(scope.toString('hex'))
  })
})

describe('sourceAddress', () => {
  it('is the address that a connection would have', () => {
    expect(hex(sourceAddress('127.0.0.9', 2222))).toBe('7f000001')
    expect(hex(sourceAddress('::1', 2222))).toBe(`${'0'.repeat(31)}1`)
  })

  it('is unknown where there is no way', () => {
    expect(sourceAddress('fe80::1', 2222)).toBeUndefined()
  })
})

describe('isOwnAddress', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.3.2.1', true],
    ['::1', true],
    ['192.0.2.1', false],
    ['2001:db8::1', false],
  ])('%s: %s', (address, isOwn) => {
    expect(isOwnAddress(address)).toBe(isOwn)
  })
})
