import { describe, expect, it } from 'vitest'
import {
  type Message,
  attribute,
  attributes,
  numberOf,
  readMessages,
  textOf,
} from '#net/port/nic/rtnetlink.ts'

const octets = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
const FIRST = octets('18000000 1000 0200 01000000 00000000 0a0b0c0d 01020304')
const SECOND = octets('11000000 1400 0200 01000000 00000000 ff 000000')
const DONE = octets('14000000 0300 0200 01000000 00000000 00000000')
const ERROR = octets('14000000 0200 0000 01000000 00000000 edffffff')

const read = (...parts: Uint8Array[]): { more: boolean; found: Message[] } => {
  const found: Message[] = []
  return { more: readMessages(Buffer.concat(parts), found), found }
}

describe('readMessages', () => {
  it('finds each message with its type, and knows the end', () => {
    const both = [
      { type: 16, body: FIRST.subarray(16) },
      { type: 20, body: SECOND.subarray(16, 17) },
    ]
    expect(read(FIRST, SECOND)).toEqual({ more: true, found: both })
    expect(read(FIRST, SECOND, DONE, FIRST)).toEqual({ more: false, found: both })
    expect(read(ERROR)).toEqual({ more: false, found: [] })
  })

  it('comes to an end with anything', () => {
    const whole = Buffer.concat([FIRST, SECOND, DONE])
    for (let length = 0; length < whole.length; length++) read(whole.subarray(0, length))
    for (let i = 0; i < whole.length; i++)
      for (const value of [0, 1, 0x7f, 0xff]) {
        const spoilt = Buffer.from(whole)
        spoilt[i] = value
        for (const { body } of read(spoilt).found) attributes(body, 0)
        expect(read(spoilt).found.length).toBeLessThan(4)
      }
  })
})

describe('attributes', () => {
  it('reads what is written, behind the structure, nested ones too', () => {
    const written = Buffer.concat([
      octets('aabb0000'),
      attribute(3, octets('65746800')),
      attribute(0x8005, octets('07000000')),
    ])
    const found = attributes(written, 4)
    expect([
      textOf(found.get(3)),
      numberOf(found.get(5)),
      textOf(found.get(9)),
      numberOf(found.get(9)),
    ]).toEqual(['eth', 7, '', 0])
  })
})
