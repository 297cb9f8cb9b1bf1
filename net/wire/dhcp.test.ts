import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addressesOption,
  BOOT_REPLY,
  BOOT_REQUEST,
  decodeDhcp,
  DHCP_ACK,
  DHCP_DISCOVER,
  type DhcpMessage,
  encodeDhcp,
  octetOption,
  OPTION_HOST_NAME,
  OPTION_LEASE_TIME,
  OPTION_MASK,
  OPTION_NAME_SERVERS,
  OPTION_PARAMETERS,
  OPTION_TYPE,
  wordOption,
} from '#net/wire/dhcp.ts'

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const zeros = (count: number): string => '00'.repeat(count)
const MAC = octets('020000000001')

/** RFC 2131 figure 1, written by hand. */
const head = (operation: string, addresses: string): string =>
  `${operation} 01 06 00 3903f326 0005 8000 ${addresses} 020000000001 ${zeros(10)} ${zeros(64)} ${zeros(128)} 63825363`
const DISCOVER = octets(`${head('01', zeros(16))} 350101 370401030633 ff ${zeros(50)}`)
const ACK = octets(
  `${head('02', `00000000 c0000264 00000000 00000000`)} 350105 0104ffffff00 0608 c0000201 c0000202 0c02 6831
   330400000e10 ff ${zeros(21)}`.replaceAll('\n', ''),
)

const message = (operation: number, options: Record<number, string>): DhcpMessage => ({
  operation,
  transaction: 0x3903f326,
  seconds: 5,
  wantsBroadcast: true,
  clientAddress: 0,
  yourAddress: 0,
  relayAddress: 0,
  mac: MAC,
  options: new Map(Object.entries(options).map(([code, hex]) => [Number(code), octets(hex)])),
})

describe('DHCP messages', () => {
  it('are the octets of the RFC', () => {
    expect(DISCOVER.length).toBe(300)
    const discover = decodeDhcp(DISCOVER, 0, DISCOVER.length)
    expect(discover).toEqual(message(BOOT_REQUEST, { [OPTION_TYPE]: '01', [OPTION_PARAMETERS]: '01030633' }))
    const ack = decodeDhcp(ACK, 0, ACK.length)
    if (!discover || !ack) throw new Error('not read')
    expect([octetOption(discover, OPTION_TYPE), octetOption(ack, OPTION_TYPE)]).toEqual([
      DHCP_DISCOVER,
      DHCP_ACK,
    ])
    expect([ack.operation, ack.yourAddress]).toEqual([BOOT_REPLY, 0xc0000264])
    expect(wordOption(ack, OPTION_MASK)).toBe(0xffffff00)
    expect(wordOption(ack, OPTION_LEASE_TIME)).toBe(3600)
    expect(wordOption(ack, OPTION_NAME_SERVERS)).toBe(0)
    expect(addressesOption(ack, OPTION_NAME_SERVERS)).toEqual([0xc0000201, 0xc0000202])
    expect(Buffer.from(ack.options.get(OPTION_HOST_NAME) ?? []).toString()).toBe('h1')
  })
  it('are written as the RFC has them', () => {
    const written = encodeDhcp(
      message(BOOT_REQUEST, { [OPTION_TYPE]: '01', [OPTION_PARAMETERS]: '01030633' }),
    )
    expect(Buffer.from(written).toString('hex')).toBe(Buffer.from(DISCOVER).toString('hex'))
  })
  it('are read in sname and file as well (RFC 2132 §9.3)', () => {
    const overloaded = octets(
      `01 01 06 00 3903f326 0000 0000 ${zeros(16)} 020000000001 ${zeros(10)} 0c0161 ff ${zeros(60)} 0c0162 ff ${zeros(124)}
       63825363 350101 340103 0c0163 ff`.replaceAll('\n', ''),
    )
    const read = decodeDhcp(overloaded, 0, overloaded.length)
    expect(Buffer.from(read?.options.get(OPTION_HOST_NAME) ?? []).toString()).toBe('cba')
    overloaded[overloaded.length - 5] = 4
    expect(decodeDhcp(overloaded, 0, overloaded.length)).toBeUndefined()
  })
  it('are refused when an option or the header is cut short', () => {
    const options = 240
    for (let end = 0; end < DISCOVER.length - 51; end++) {
      // Between options a missing end is forgiven.
      const isWhole = [options, options + 3, options + 9].includes(end)
      expect(decodeDhcp(DISCOVER, 0, end) !== undefined, `end ${end}`).toBe(isWhole)
    }
  })
  it('of other hardware, other operations and without the cookie are none', () => {
    for (const at of [0, 1, 2, 236, 239]) {
      const b = DISCOVER.slice()
      b[at] = 9
      expect(decodeDhcp(b, 0, b.length), `octet ${at}`).toBeUndefined()
    }
  })
  it('are read as they were written', () => {
    const address = fc.nat(0xffffffff)
    const any = fc.record({
      operation: fc.constantFrom(BOOT_REQUEST, BOOT_REPLY),
      transaction: address,
      seconds: fc.nat(0xffff),
      wantsBroadcast: fc.boolean(),
      clientAddress: address,
      yourAddress: address,
      relayAddress: address,
      mac: fc.uint8Array({ minLength: 6, maxLength: 6 }),
      options: fc
        .array(
          fc.tuple(
            fc.integer({ min: 1, max: 254 }).filter((code) => code !== 52),
            fc.uint8Array({ maxLength: 600 }),
          ),
          { maxLength: 8 },
        )
        .map((list) => new Map(list)),
    })
    fc.assert(
      fc.property(any, fc.nat(9), (one, before) => {
        const written = encodeDhcp(one)
        const around = new Uint8Array(before + written.length + 7).fill(0x35)
        around.set(written, before)
        expect(decodeDhcp(around, before, before + written.length)).toEqual(one)
      }),
    )
  })
})
