/** Frames of the kinds that filters tell apart, by name. */
const MAC = {
  a: '020000000001',
  b: '020000000002',
  all: 'ffffffffffff',
  group: '01005e000001',
  group6: '333300000001',
}

const octetsOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hex16 = (n: number): string => n.toString(16).padStart(4, '0')
const address4 = (text: string): string =>
  text
    .split('.')
    .map((n) => Number(n).toString(16).padStart(2, '0'))
    .join('')

const frame = (to: string, from: string, type: string, payload: string, tags = ''): Uint8Array =>
  octetsOf(to + from + tags + type + payload)

function ipv4(from: string, to: string, protocol: number, payload: string, fragment = '0000'): string {
  const length = hex16(20 + payload.length / 2)
  const fields = protocol.toString(16).padStart(2, '0')
  return `4500${length}0001${fragment}40${fields}0000${address4(from)}${address4(to)}${payload}`
}

function ipv6(from: string, to: string, next: string, payload: string): string {
  return `60000000${hex16(payload.length / 2)}${next}40${from.padStart(32, '0')}${to.padStart(32, '0')}${payload}`
}

const ports = (from: number, to: number): string => `${hex16(from)}${hex16(to)}${'00'.repeat(16)}`
const A6 = `fd00${'00'.repeat(13)}01`
const B6 = `fd00${'00'.repeat(13)}02`
const http = ipv4('10.0.0.1', '192.168.1.2', 6, ports(40_000, 80))

export const FILTER_FRAMES: Readonly<Record<string, Uint8Array>> = {
  'arp request': frame(
    MAC.all,
    MAC.a,
    '0806',
    `0001080006040001${MAC.a}0a000001${'00'.repeat(6)}0a000002${'00'.repeat(18)}`,
  ),
  'arp reply': frame(
    MAC.all,
    MAC.b,
    '0806',
    `0001080006040002${MAC.b}0a000002${MAC.a}0a000001${'00'.repeat(18)}`,
  ),
  'icmp echo': frame(MAC.b, MAC.a, '0800', ipv4('10.0.0.1', '10.0.0.2', 1, '0800f7ff00000000')),
  'http from 10.0.0.1': frame(MAC.b, MAC.a, '0800', http),
  'http to 10.0.0.1': frame(MAC.a, MAC.b, '0800', ipv4('192.168.1.2', '10.0.0.1', 6, ports(80, 40_000))),
  'ssh over IPv6': frame(MAC.b, MAC.a, '86dd', ipv6(A6, B6, '06', ports(22, 50_000))),
  'dns over IPv6': frame(MAC.b, MAC.a, '86dd', ipv6(B6, A6, '11', ports(53, 1234))),
  'udp 5000 to 5001': frame(
    MAC.b,
    MAC.a,
    '0800',
    ipv4('172.16.0.1', '172.31.255.255', 17, ports(5000, 5001)),
  ),
  'dhcp discover': frame(MAC.all, MAC.a, '0800', ipv4('0.0.0.0', '255.255.255.255', 17, ports(68, 67))),
  'first fragment of udp 53': frame(
    MAC.b,
    MAC.a,
    '0800',
    ipv4('10.0.0.1', '10.0.0.2', 17, ports(53, 53), '2000'),
  ),
  'later fragment of tcp': frame(
    MAC.b,
    MAC.a,
    '0800',
    ipv4('10.0.0.1', '10.0.0.2', 6, ports(80, 80), '0010'),
  ),
  igmp: frame(MAC.group, MAC.a, '0800', ipv4('10.0.0.1', '224.0.0.1', 2, '1100eeff00000000')),
  'ra to all nodes': frame(
    MAC.group6,
    MAC.a,
    '86dd',
    ipv6(`fe80${'00'.repeat(13)}01`, B6, '3a', `86${'00'.repeat(15)}`),
  ),
  lldp: frame('0180c200000e', MAC.a, '88cc', `0207${'00'.repeat(44)}`),
  bpdu: frame('0180c2000000', MAC.a, '0026', `424203${'00'.repeat(35)}`),
  'short broadcast': frame(MAC.all, MAC.b, '88b5', ''),
  'long frame': frame(MAC.b, MAC.a, '88b5', 'ab'.repeat(1400)),
  'http from 10.0.0.1 tagged 10': frame(MAC.b, MAC.a, '0800', http, '8100000a'),
  'http from 10.0.0.1 tagged 10 in 20': frame(MAC.b, MAC.a, '0800', http, '88a80014 8100000a'),
  'double-tagged 30 in 20': frame(MAC.b, MAC.a, '88b5', '00'.repeat(50), '88a80014 8100e01e'),
}
