import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { PortCounters } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { MemoryPort } from '#net/port/memory.ts'
import { MAX_WIRE_FRAME } from '#net/port/port.ts'
import { Switch } from '#net/switch/switch.ts'
import { ARP_REPLY, ARP_REQUEST, ArpPacket, putArp } from '#net/wire/arp.ts'
import {
  BOOT_REPLY,
  BOOT_REQUEST,
  decodeDhcp,
  DHCP_ACK,
  DHCP_DISCOVER,
  DHCP_INFORM,
  DHCP_NAK,
  DHCP_OFFER,
  DHCP_REQUEST,
  type DhcpMessage,
  encodeDhcp,
  octetOption,
  OPTION_ADDRESS,
  OPTION_CLIENT,
  OPTION_HOST_NAME,
  OPTION_LEASE_TIME,
  OPTION_MASK,
  OPTION_ROUTERS,
  OPTION_SERVER,
  OPTION_TYPE,
  wordOctets,
  wordOption,
} from '#net/wire/dhcp.ts'
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, DhcpFrame, dhcpFrame } from '#net/wire/dhcp-frame.ts'
import { ETHERTYPE_ARP, putEthernet } from '#net/wire/ethernet.ts'
import { addressOctets, ipv4Number } from '#net/wire/ip-address.ts'
import { ManagementHost } from '#hub/fabric/management-host.ts'
import { openManagementPort } from '#hub/fabric/management.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const SERVER_MAC = Uint8Array.of(2, 0, 0, 0, 0, 0xfe)
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1)
const STRANGER = Uint8Array.of(2, 0, 0, 0, 0, 9)
const ALL = new Uint8Array(6).fill(0xff)
const SERVER = ipv4Number('10.255.3.1')
const ADDRESS = ipv4Number('10.255.3.11')
const OTHER = ipv4Number('10.255.3.12')

let host: ManagementHost
let now: number
beforeEach(() => {
  host = new ManagementHost(
    {
      serverMac: SERVER_MAC,
      server: SERVER,
      mask: 0xffffff00,
      leases: [{ mac: '02:00:00:00:00:01', address: ADDRESS, hostname: 'h1' }],
    },
    () => now,
  )
  now = 0
})

const message = (
  type: number,
  more: Partial<DhcpMessage> = {},
  options: readonly (readonly [number, Uint8Array])[] = [],
): DhcpMessage => ({
  operation: BOOT_REQUEST,
  transaction: 7,
  seconds: 0,
  wantsBroadcast: false,
  clientAddress: 0,
  yourAddress: 0,
  relayAddress: 0,
  mac: MAC,
  options: new Map([[OPTION_TYPE, Uint8Array.of(type)], ...options]),
  ...more,
})

const framed = (payload: Uint8Array, sourceMac: Uint8Array = MAC): Uint8Array =>
  dhcpFrame(
    {
      sourceMac,
      destinationMac: ALL,
      source: addressOctets('0.0.0.0'),
      destination: addressOctets('255.255.255.255'),
      sourcePort: DHCP_CLIENT_PORT,
      destinationPort: DHCP_SERVER_PORT,
    },
    payload,
  )

const answered = (frame: Uint8Array): Uint8Array | null => host.answer(frame, 0, frame.length)

/** The answer and where it goes. */
function ask(
  request: DhcpMessage,
): { reply: DhcpMessage; type: number; mac: string; to: string } | undefined {
  const b = answered(framed(encodeDhcp(request), request.mac))
  if (b === null) return undefined
  const frame = new DhcpFrame()
  expect(frame.isTo(b, 0, b.length, DHCP_CLIENT_PORT) && frame.decode(b, 0, b.length, true)).toBe(true)
  const reply = decodeDhcp(b, frame.payload, frame.end)
  if (reply === undefined) throw new Error('the answer cannot be read')
  expect([reply.operation, reply.transaction, wordOption(reply, OPTION_SERVER)]).toEqual([
    BOOT_REPLY,
    7,
    SERVER,
  ])
  const to = b.subarray(30, 34).join('.')
  return {
    reply,
    type: octetOption(reply, OPTION_TYPE),
    mac: Buffer.from(b.subarray(0, 6)).toString('hex'),
    to,
  }
}

describe('DHCP', () => {
  it('offers a device its planned address, and no way out', () => {
    const client = new Uint8Array([1, 2, 3])
    const { reply, ...where } = ask(message(DHCP_DISCOVER, {}, [[OPTION_CLIENT, client]])) ?? {}
    expect(where).toEqual({ type: DHCP_OFFER, mac: '020000000001', to: '10.255.3.11' })
    if (!reply) throw new Error('no offer')
    expect([reply.yourAddress, wordOption(reply, OPTION_MASK)]).toEqual([ADDRESS, 0xffffff00])
    expect(wordOption(reply, OPTION_LEASE_TIME)).toBe(3600)
    expect(Buffer.from(reply.options.get(OPTION_HOST_NAME) ?? []).toString()).toBe('h1')
    expect(reply.options.has(OPTION_ROUTERS)).toBe(false)
    expect(reply.options.get(OPTION_CLIENT)).toEqual(client)
  })
  it('answers no more than it can send to a client with a long name for itself', () => {
    const { reply } = ask(message(DHCP_DISCOVER, {}, [[OPTION_CLIENT, new Uint8Array(255)]])) ?? {}
    expect(reply?.options.get(OPTION_CLIENT)?.length).toBe(255)
    const long = framed(encodeDhcp(message(DHCP_DISCOVER, {}, [[OPTION_CLIENT, new Uint8Array(8800)]])))
    expect(long.length).toBeLessThanOrEqual(MAX_WIRE_FRAME)
    expect(answered(long)?.length).toBeLessThan(400)
  })
  it('answers to everybody when the client asks for that', () => {
    expect(ask(message(DHCP_DISCOVER, { wantsBroadcast: true }))).toMatchObject({
      mac: 'ffffffffffff',
      to: '255.255.255.255',
    })
  })
  it.each([
    ['chooses this server', { address: ADDRESS, server: SERVER, own: 0 }, DHCP_ACK, '10.255.3.11'],
    ['chooses another address', { address: OTHER, server: SERVER, own: 0 }, DHCP_NAK, '255.255.255.255'],
    ['chooses another server', { address: ADDRESS, server: OTHER, own: 0 }, undefined, ''],
    ['had the address before', { address: ADDRESS, server: 0, own: 0 }, DHCP_ACK, '10.255.3.11'],
    ['had another one before', { address: OTHER, server: 0, own: 0 }, DHCP_NAK, '255.255.255.255'],
    ['goes on with its address', { address: 0, server: 0, own: ADDRESS }, DHCP_ACK, '10.255.3.11'],
    ['goes on with another one', { address: 0, server: 0, own: OTHER }, DHCP_NAK, '255.255.255.255'],
    ['asks for nothing', { address: 0, server: 0, own: 0 }, DHCP_NAK, '255.255.255.255'],
  ])('a request that %s', (_, { address, server, own }, type, to) => {
    const options: [number, Uint8Array][] = []
    if (address !== 0) options.push([OPTION_ADDRESS, wordOctets(address)])
    if (server !== 0) options.push([OPTION_SERVER, wordOctets(server)])
    const answer = ask(message(DHCP_REQUEST, { clientAddress: own }, options))
    expect(answer?.type).toBe(type)
    expect(answer?.to ?? '').toBe(to)
    expect(answer?.reply.yourAddress ?? 0).toBe(type === DHCP_ACK ? ADDRESS : 0)
  })
  it('informs without a lease', () => {
    const answer = ask(message(DHCP_INFORM, { clientAddress: ADDRESS }))
    expect(answer).toMatchObject({ type: DHCP_ACK, to: '10.255.3.11' })
    expect([answer?.reply.yourAddress, answer?.reply.options.has(OPTION_LEASE_TIME)]).toEqual([0, false])
    expect(ask(message(DHCP_INFORM))).toBeUndefined()
  })
  it('has nothing for others, relays, answers, and messages that nobody answers', () => {
    expect(ask(message(DHCP_DISCOVER, { mac: STRANGER }))).toBeUndefined()
    expect(host.dropped).toBe(-1)
    for (const odd of [
      message(DHCP_DISCOVER, { relayAddress: OTHER }),
      message(DHCP_DISCOVER, { operation: BOOT_REPLY }),
      message(DHCP_OFFER),
      message(4),
      message(7),
      message(99),
      message(0, { options: new Map() }),
    ])
      expect(ask(odd)).toBeUndefined()
  })
  it('drops what cannot be read, and who asks for another', () => {
    const whole = encodeDhcp(message(DHCP_DISCOVER))
    for (const payload of [
      whole.subarray(0, 200),
      new Uint8Array(0),
      encodeDhcp(message(1, { mac: STRANGER })),
    ]) {
      expect(answered(framed(payload))).toBeNull()
      expect(host.dropped).toBe(20)
    }
    const frame = framed(whole)
    frame[100] = 1
    expect(answered(frame)).toBeNull()
    expect(host.dropped).toBe(20)
  })
  it('answers so many a second and no more', () => {
    const frame = framed(encodeDhcp(message(DHCP_DISCOVER)))
    now = 5500
    const answers = Array.from({ length: 1100 }, () => answered(frame)).filter((one) => one !== null)
    expect(answers.length).toBe(1000)
    expect(host.dropped).toBe(4)
    now = 6000
    expect(answered(frame)).not.toBeNull()
  })
})

function arpRequest(target: number): Uint8Array {
  const b = new Uint8Array(60)
  const at = putEthernet(b, 0, ALL, MAC, ETHERTYPE_ARP)
  putArp(b, at, ARP_REQUEST, MAC, wordOctets(ADDRESS), new Uint8Array(6), wordOctets(target))
  return b
}

/** By scapy: Ether/IP(id=5)/ICMP(id=1, seq=2)/'abc'; the answer is the same with both ends changed, type 0. */
const ping = (from: string, sum: string): Uint8Array =>
  Uint8Array.from(
    Buffer.from(
      `0200000000fe0200000000010800 4500001f00050000 4001${sum} ${from} 0aff0301 0800339a0001000261626300`.replaceAll(
        ' ',
        '',
      ),
      'hex',
    ),
  ).subarray(0, 45)

describe('its host', () => {
  it('answers ARP for its address only', () => {
    const reply = answered(arpRequest(SERVER))
    if (reply === null) throw new Error('no answer')
    const arp = new ArpPacket()
    expect(arp.decode(reply, 14, reply.length)).toBe(true)
    expect(arp.operation).toBe(ARP_REPLY)
    expect(reply.subarray(0, 12)).toEqual(Uint8Array.of(...MAC, ...SERVER_MAC))
    expect(reply.subarray(arp.senderMac, arp.senderMac + 10)).toEqual(
      Uint8Array.of(...SERVER_MAC, ...wordOctets(SERVER)),
    )
    expect(answered(arpRequest(OTHER))).toBeNull()
  })
  it('answers pings of its network, octet by octet', () => {
    const reply = answered(ping('0aff030b', '5ed0'))
    expect(Buffer.from(reply ?? []).toString('hex')).toBe(
      '0200000000010200000000fe08004500001f0005000040015ed00aff03010aff030b00003b9a00010002616263',
    )
    expect(answered(ping('c0000201', '0000'))).toBeNull()
    const broken = ping('0aff030b', '5ed0')
    broken[44] = 1
    expect(answered(broken)).toBeNull()
    expect(host.dropped).toBe(20)
  })
  it('takes any frame', () => {
    const base = fc.constantFrom(framed(encodeDhcp(message(DHCP_DISCOVER))), arpRequest(SERVER))
    fc.assert(
      fc.property(base, fc.array(fc.tuple(fc.nat(350), fc.nat(255))), fc.nat(350), (from, changes, cut) => {
        const b = from.slice(0, Math.max(0, from.length - cut))
        for (const [at, value] of changes) if (at < b.length) b[at] = value
        const answer = answered(b)
        expect(answer === null || answer.length >= 42).toBe(true)
      }),
    )
  })
})

describe('its port', () => {
  it('costs no memory for frames of others', () => {
    const entry = new Switch({ name: 'x' }).addEntry()
    const port = openManagementPort({ bridge: 'x', network: '10.255.3.0/24', leases: [] }, 'hub', entry)
    const frames = [Uint8Array.of(...STRANGER, ...MAC, 8, 0, ...new Uint8Array(46)), arpRequest(OTHER)]
    for (const frame of frames) {
      const memory = new FrameMemory(frame)
      expect(bytesPerCall(() => port.send(memory, 0, frame.length))).toBeLessThan(8)
    }
  })
  it('answers through the switch, counts, and is silent by itself', async () => {
    const bridge = new Switch({ name: 'two/external' })
    const entry = bridge.addEntry()
    const port = openManagementPort(
      {
        bridge: 'two/external',
        network: '10.255.3.0/24',
        leases: [{ mac: '02:00:00:00:00:01', address: '10.255.3.11', hostname: 'h1' }],
      },
      'hub',
      entry,
    )
    entry.connect(port)
    const other = bridge.addEntry()
    const device = new MemoryPort(other.counters, other)
    other.connect(device)
    device.inject(framed(encodeDhcp(message(DHCP_DISCOVER))))
    device.inject(framed(encodeDhcp(message(DHCP_DISCOVER)).subarray(0, 100)))
    await new Promise((resolve) => setImmediate(resolve))
    expect(device.take().map((frame) => frame.subarray(30, 34).join('.'))).toEqual(['10.255.3.11'])
    expect(entry.counters.read()).toMatchObject({
      inFrames: 1,
      outFrames: 2,
      outDrops: { malformed: 1 },
    })
    expect(entry.counters).toBeInstanceOf(PortCounters)
    device.inject(framed(encodeDhcp(message(DHCP_DISCOVER))))
    entry.disconnect()
    port.close()
    await new Promise((resolve) => setImmediate(resolve))
    expect(device.take()).toEqual([])
    bridge.close()
  })
})
