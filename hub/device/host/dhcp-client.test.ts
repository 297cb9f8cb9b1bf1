import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  BOOT_REPLY,
  decodeDhcp,
  DHCP_ACK,
  DHCP_DISCOVER,
  DHCP_NAK,
  DHCP_OFFER,
  DHCP_REQUEST,
  type DhcpMessage,
  encodeDhcp,
  octetOption,
  OPTION_ADDRESS,
  OPTION_HOST_NAME,
  OPTION_LEASE_TIME,
  OPTION_MASK,
  OPTION_SERVER,
  OPTION_TYPE,
  wordOctets,
  wordOption,
} from '#net/wire/dhcp.ts'
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, DhcpFrame, dhcpFrame } from '#net/wire/dhcp-frame.ts'
import { ipv4Number, ipv4Text } from '#net/wire/ip-address.ts'
import { DhcpServer } from '#hub/fabric/dhcp-server.ts'
import { DhcpClient } from '#hub/device/host/dhcp-client.ts'

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1)
const SERVER_MAC = Uint8Array.of(2, 0, 0, 0, 0, 0xfe)
const SERVER = ipv4Number('192.0.2.1')
const ADDRESS = ipv4Number('192.0.2.100')
const OTHER_SERVER = ipv4Number('192.0.2.2')

let client: DhcpClient
let draws: number
const make = (address = 0): void => {
  draws = 0
  const random = (): number => (draws++ % 7) / 7
  client = new DhcpClient({ mac: MAC, hostname: 'h1', address, random })
}
beforeEach(() => make())

interface Sent {
  readonly message: DhcpMessage
  readonly type: number
  readonly to: string
  readonly mac: string
}

function sent(b: Uint8Array | undefined): Sent {
  const frame = new DhcpFrame()
  if (b === undefined || !frame.isTo(b, 0, b.length, DHCP_SERVER_PORT)) throw new Error('nothing is sent')
  expect(frame.decode(b, 0, b.length, true)).toBe(true)
  const message = decodeDhcp(b, frame.payload, frame.end)
  if (!message) throw new Error('what is sent cannot be read')
  const mac = Buffer.from(b.subarray(0, 6)).toString('hex')
  return { message, type: octetOption(message, OPTION_TYPE), to: b.subarray(30, 34).join('.'), mac }
}

function framed(message: DhcpMessage): Uint8Array {
  return dhcpFrame(
    {
      sourceMac: SERVER_MAC,
      destinationMac: MAC,
      source: wordOctets(SERVER),
      destination: wordOctets(ADDRESS),
      sourcePort: DHCP_SERVER_PORT,
      destinationPort: DHCP_CLIENT_PORT,
    },
    encodeDhcp(message),
  )
}

function reply(to: DhcpMessage, type: number, more: Partial<DhcpMessage> = {}, server = SERVER): Uint8Array {
  const options = new Map([
    [OPTION_TYPE, Uint8Array.of(type)],
    [OPTION_SERVER, wordOctets(server)],
    [OPTION_MASK, wordOctets(0xffffff00)],
    [OPTION_LEASE_TIME, wordOctets(1000)],
  ])
  return framed({ ...to, operation: BOOT_REPLY, yourAddress: ADDRESS, options, ...more })
}

const receive = (b: Uint8Array, now: number): Uint8Array | undefined => client.receive(b, 0, b.length, now)

function bound(now: number): void {
  const discover = sent(client.linkUp(now))
  const request = sent(receive(reply(discover.message, DHCP_OFFER), now))
  expect(receive(reply(request.message, DHCP_ACK), now)).toBeUndefined()
  expect(client.lease?.address).toBe(ADDRESS)
}

describe('a DHCP client', () => {
  it('discovers, asks for what is offered, and has it', () => {
    const discover = sent(client.linkUp(0))
    expect(discover).toMatchObject({ type: DHCP_DISCOVER, to: '255.255.255.255', mac: 'ffffffffffff' })
    expect(Buffer.from(discover.message.options.get(OPTION_HOST_NAME) ?? []).toString()).toBe('h1')
    const request = sent(receive(reply(discover.message, DHCP_OFFER), 10))
    expect(request).toMatchObject({ type: DHCP_REQUEST, to: '255.255.255.255' })
    expect(request.message.transaction).toBe(discover.message.transaction)
    expect(wordOption(request.message, OPTION_ADDRESS)).toBe(ADDRESS)
    expect(wordOption(request.message, OPTION_SERVER)).toBe(SERVER)
    receive(reply(request.message, DHCP_ACK), 20)
    expect(client.lease).toMatchObject({ address: ADDRESS, length: 24, seconds: 1000, renewSeconds: 500 })
    expect(client.deadline).toBe(20 + 500_000)
  })
  it('asks again, twice as late each time, up to 64 s, and says for how long', () => {
    let next = sent(client.linkUp(0))
    const waits: number[] = []
    let now = 0
    for (let i = 0; i < 8; i++) {
      expect(client.tick(client.deadline - 1)).toBeUndefined()
      waits.push((client.deadline - now) / 1000)
      now = client.deadline
      next = sent(client.tick(now))
    }
    for (const [i, expected] of [1, 2, 4, 8, 16, 32, 64, 64].entries())
      expect(Math.abs((waits[i] ?? 0) - expected)).toBeLessThanOrEqual(expected / 10)
    expect([next.type, next.message.seconds]).toEqual([DHCP_DISCOVER, Math.floor(now / 1000)])
  })
  it('discovers again when a server offers and then says nothing', () => {
    const discover = sent(client.linkUp(0))
    receive(reply(discover.message, DHCP_OFFER), 0)
    const types = Array.from({ length: 4 }, () => sent(client.tick(client.deadline)).type)
    expect(types).toEqual([DHCP_REQUEST, DHCP_REQUEST, DHCP_REQUEST, DHCP_DISCOVER])
  })
  it('renews with the server, then with anybody, and gives the address up in the end', () => {
    bound(0)
    const renewal = sent(client.tick(500_000))
    expect(renewal).toMatchObject({ type: DHCP_REQUEST, to: '192.0.2.1', mac: '0200000000fe' })
    expect(renewal.message.clientAddress).toBe(ADDRESS)
    expect(renewal.message.options.has(OPTION_ADDRESS)).toBe(false)
    const lease = client.lease
    expect(client.deadline).toBe(500_000 + 187_500)
    client.tick(client.deadline)
    while (client.deadline < 875_000) sent(client.tick(client.deadline))
    expect(sent(client.tick(client.deadline))).toMatchObject({ type: DHCP_REQUEST, to: '255.255.255.255' })
    expect(client.lease).toBe(lease)
    while (client.deadline < 1_000_000) sent(client.tick(client.deadline))
    expect(sent(client.tick(1_000_000)).type).toBe(DHCP_DISCOVER)
    expect(client.lease).toBeUndefined()
  })
  it('has a new lease when it has renewed', () => {
    bound(0)
    const renewal = sent(client.tick(500_000))
    receive(reply(renewal.message, DHCP_ACK), 500_010)
    expect(client.deadline).toBe(500_010 + 500_000)
  })
  it('asks for the address that it had when its machine or its link was away', () => {
    make(ADDRESS)
    const first = sent(client.linkUp(0))
    expect([first.type, wordOption(first.message, OPTION_ADDRESS)]).toEqual([DHCP_REQUEST, ADDRESS])
    expect(first.message.options.has(OPTION_SERVER)).toBe(false)
    receive(reply(first.message, DHCP_ACK), 5)
    client.linkDown()
    expect(client.lease?.address).toBe(ADDRESS)
    expect(client.deadline).toBe(5 + 1_000_000)
    expect(sent(client.linkUp(100)).type).toBe(DHCP_REQUEST)
    expect(client.lease?.address).toBe(ADDRESS)
  })
  it('asks in its own time after a lease has run out that was not renewed', () => {
    make(ADDRESS)
    receive(reply(sent(client.linkUp(0)).message, DHCP_ACK), 0)
    const end = (client.lease?.seconds ?? 0) * 1000
    client.linkDown()
    expect(sent(client.tick(end)).type).toBe(DHCP_DISCOVER)
    expect(client.lease).toBeUndefined()
    expect(client.deadline).toBeGreaterThanOrEqual(end + 900)
  })
  it('starts over when it is refused, after a pause', () => {
    make(ADDRESS)
    const { message } = sent(client.linkUp(0))
    expect(receive(reply(message, DHCP_NAK), 7)).toBeUndefined()
    expect(client.deadline).toBe(1007)
    const discover = sent(client.tick(1007))
    expect([discover.type, wordOption(discover.message, OPTION_ADDRESS)]).toEqual([DHCP_DISCOVER, 0])
  })
  it('believes nothing that was not asked for', () => {
    const { message } = sent(client.linkUp(0))
    for (const odd of [
      reply({ ...message, transaction: 1 }, DHCP_OFFER),
      reply({ ...message, mac: SERVER_MAC }, DHCP_OFFER),
      reply(message, DHCP_OFFER, { operation: 1 }),
      reply(message, DHCP_OFFER, { yourAddress: 0 }),
      reply(message, DHCP_OFFER, { yourAddress: ipv4Number('224.0.0.1') }),
      reply(message, DHCP_OFFER, {}, 0),
      reply(message, DHCP_ACK),
      reply(message, DHCP_NAK),
      new Uint8Array(10),
    ])
      expect(receive(odd, 5)).toBeUndefined()
    expect(client.lease).toBeUndefined()
    expect(sent(receive(reply(message, DHCP_OFFER, {}, OTHER_SERVER), 5)).type).toBe(DHCP_REQUEST)
    // A second offer comes too late.
    expect(receive(reply(message, DHCP_OFFER), 6)).toBeUndefined()
  })
  it('gets from the server of a topology what is planned', () => {
    const server = new DhcpServer({
      server: SERVER,
      mask: 0xffffff00,
      leases: [{ mac: '02:00:00:00:00:01', address: ADDRESS, hostname: 'h1' }],
    })
    let frame: Uint8Array | undefined = client.linkUp(0)
    for (let i = 0; i < 2; i++) {
      const answer = server.answer(sent(frame).message)
      if (!answer) throw new Error('no answer')
      frame = receive(framed(answer), i)
    }
    expect(ipv4Text(client.lease?.address ?? 0)).toBe('192.0.2.100')
    expect(client.lease?.seconds).toBe(3600)
  })
  it('takes whatever comes, whenever', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constantFrom('up', 'down', 'tick'), ms: fc.nat(2_000_000) }),
      fc.record({
        type: fc.nat(9),
        address: fc.nat(0xffffffff),
        seconds: fc.nat(0xffffffff),
        ms: fc.nat(1000),
        more: fc.uint8Array({ maxLength: 40 }),
        option: fc.constantFrom(1, 3, 6, 15, 58, 59, 121),
      }),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        make()
        let now = 0
        let last = sent(client.linkUp(now)).message
        for (const one of events) {
          now += one.ms
          let out = client.tick(now)
          if (out) last = sent(out).message
          if ('kind' in one) {
            if (one.kind === 'up') out = client.linkUp(now)
            else if (one.kind === 'down') client.linkDown()
          } else {
            const options = new Map([
              [OPTION_TYPE, Uint8Array.of(one.type)],
              [OPTION_SERVER, wordOctets(SERVER)],
              [OPTION_LEASE_TIME, wordOctets(one.seconds)],
              [one.option, one.more],
            ])
            out = receive(framed({ ...last, operation: BOOT_REPLY, yourAddress: one.address, options }), now)
          }
          if (out) last = sent(out).message
          const { lease } = client
          const { renewSeconds, rebindSeconds, seconds } = lease ?? {
            renewSeconds: 1,
            rebindSeconds: 1,
            seconds: 2,
          }
          expect(renewSeconds <= rebindSeconds && rebindSeconds < seconds).toBe(true)
          expect(client.deadline).toBeGreaterThan(now)
        }
      }),
    )
  })
})
