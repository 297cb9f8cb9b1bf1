import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '#net/base/errors.ts'
import { unixAddress } from '#net/port/unix-address.ts'
import { decodeReply, decodeRequest, encodeRequest, pathOf } from '#net/port/vde/handshake.ts'

const PATH = '/tmp/sw/.01234-00000'
/** As vde_plug sends it for port 5. */
const KNOWN = Buffer.concat([
  Buffer.from('cefaedfe03000000000500000100', 'hex'),
  Buffer.from(PATH),
  Buffer.alloc(108 - PATH.length),
  Buffer.from('vdeplug: user=root pid=1234'),
])

const descriptionOf = (text: string): string =>
  decodeRequest(Buffer.concat([KNOWN.subarray(0, 122), Buffer.from(text)])).description

const thrown = (decode: () => unknown): unknown => {
  try {
    decode()
    return undefined
  } catch (error) {
    return error
  }
}

describe('a request', () => {
  it('is the octets that vde_plug sends', () => {
    const request = {
      port: 5,
      isManagement: false,
      address: unixAddress(PATH),
      description: 'vdeplug: user=root pid=1234',
    }
    expect(Buffer.from(encodeRequest(request))).toEqual(KNOWN)
    expect(decodeRequest(KNOWN)).toEqual(request)
  })

  it('may have anything behind the path of its address', () => {
    const octets = Buffer.from(KNOWN)
    octets.fill(0xaa, 14 + PATH.length + 1, 122)
    expect(decodeRequest(octets).address).toEqual(unixAddress(PATH))
    const abstract = Buffer.from(octets).fill(0, 14, 16)
    expect(Buffer.from(decodeRequest(abstract).address)).toEqual(abstract.subarray(12, 122))
  })

  it('cut anywhere before its description is refused', () => {
    for (let length = 0; length < 122; length++) {
      expect(thrown(() => decodeRequest(KNOWN.subarray(0, length)))).toBeInstanceOf(ProtocolError)
    }
    expect(decodeRequest(KNOWN.subarray(0, 122)).description).toBe('')
  })

  it.each([
    ['another magic', 0, 0, /no request of VDE/],
    ['version 1 (a type follows the magic)', 4, 0, /not of version 3/],
    ['version 2', 4, 2, /not of version 3/],
    ['version 4', 4, 4, /not of version 3/],
    ['a type that is not known', 8, 2, /of type 2/],
    ['another address family', 12, 2, /of family 2/],
  ])('with %s is refused', (_what, at, octet, message) => {
    const request = Buffer.from(KNOWN)
    request[at] = octet
    expect(() => decodeRequest(request)).toThrow(message)
  })

  it('of User-Mode Linux has an abstract address, and padding for a description', () => {
    const request = Buffer.concat([KNOWN.subarray(0, 14), Buffer.alloc(110)])
    request.writeUInt32LE(0x1234, 15)
    const { address, description } = decodeRequest(request)
    expect(pathOf(address)).toBeUndefined()
    expect(description).toBe('')
    expect(Buffer.from(address)).toEqual(request.subarray(12, 122))
  })

  it('says of management clients and high numbers what they are', () => {
    const request = encodeRequest({
      port: 0xffffff,
      isManagement: true,
      address: unixAddress('/x'),
      description: '',
    })
    expect(decodeRequest(request)).toMatchObject({ port: 0xffffff, isManagement: true })
  })

  it('has a description that cannot steer a terminal, 127 characters at most', () => {
    expect(descriptionOf('a\u001b[2J\u202eb\nc\0')).toBe('a[2Jbc')
    expect(descriptionOf('x'.repeat(130))).toHaveLength(127)
    expect(() => descriptionOf('x'.repeat(135))).toThrow(/257 octets/)
  })

  it('comes back as it was for any port, path and text', () => {
    const text = fc.stringMatching(/^[!-~]{0,60}$/)
    fc.assert(
      fc.property(fc.nat(0xffffff), fc.boolean(), text, text, (port, isManagement, path, description) => {
        const request = { port, isManagement, address: unixAddress(`/${path}`), description }
        expect(decodeRequest(encodeRequest(request))).toEqual(request)
        const octets = pathOf(request.address)
        expect(octets && Buffer.from(octets).toString()).toBe(`/${path}`)
      }),
    )
  })
})

describe('a reply', () => {
  it('is an address of 110 octets and nothing else', () => {
    expect(decodeReply(unixAddress('/tmp/sw/001.9'))).toEqual(unixAddress('/tmp/sw/001.9'))
    for (const length of [0, 1, 109, 111])
      expect(() => decodeReply(new Uint8Array(length))).toThrow(`${length} octets`)
    expect(() => decodeReply(new Uint8Array(110))).toThrow(/of family 0/)
  })
})

it('a path of 107 octets is the longest', () => {
  expect(unixAddress('x'.repeat(107))).toHaveLength(110)
  expect(() => unixAddress('x'.repeat(108))).toThrow(/108 octets.*107.*shorter/)
})
