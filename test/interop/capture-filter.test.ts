/** Filters of captures mean what they mean to tcpdump, as long as frames have no tags; and tcpdump reads our files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Filter } from '#net/capture/filter.ts'
import {
  INBOUND,
  interfaceDescription,
  PACKET_START,
  packetBlockLength,
  putPacketEnd,
  putPacketStart,
  sectionHeader,
} from '#net/pcapng/blocks.ts'
import { FILTER_FRAMES } from '#test/support/filter-frames.ts'
import { finish, Running } from '#test/support/process.ts'

const frames = Object.entries(FILTER_FRAMES).filter(([name]) => !name.includes('tagged'))

let directory: string
let file: string

/** Frame `i` came in second `i + 1`. */
function packet(octets: Uint8Array, i: number): Uint8Array {
  const total = packetBlockLength(octets.length, null)
  const block = new Uint8Array(total)
  putPacketStart(block, 0, total, 0, Float64Array.of((i + 1) * 1e6), octets.length, octets.length)
  block.set(octets, PACKET_START)
  putPacketEnd(block, 0, total, octets.length, INBOUND, null)
  return block
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-filter-'))
  file = join(directory, 'frames.pcapng')
  const blocks = [
    sectionHeader('test'),
    interfaceDescription({ name: 'a', description: '', snapLength: 262_144 }),
    ...frames.map(([, octets], i) => packet(octets, i)),
  ]
  writeFileSync(file, Buffer.concat(blocks))
})
afterAll(() => rmSync(directory, { recursive: true }))

async function takenByTcpdump(filter: string): Promise<string[]> {
  const { stdout } = await finish(new Running('tcpdump', ['-tt', '-n', '-q', '-r', file, filter]))
  return [...stdout.matchAll(/^(\d+)\.000000 /gm)].map(([, second]) => frames[Number(second) - 1]?.[0] ?? '')
}

it.each([
  'ip or not ip',
  'arp',
  'ip',
  'ip6',
  'icmp',
  'icmp6',
  'igmp',
  'tcp',
  'udp',
  'broadcast',
  'multicast',
  'ether broadcast',
  'ether multicast',
  'ether host 02:00:00:00:00:01',
  'ether src 02:00:00:00:00:02',
  'ether dst host 2:0:0:0:0:1',
  'ether proto 0x88cc',
  'host 10.0.0.1',
  'src host 10.0.0.1',
  'dst 10.0.0.1',
  'host fd00::1',
  'src fd00::2',
  'net 10.0.0.0/8',
  'src net 172.16.0.0/12',
  'net 0.0.0.0/0',
  'dst net fd00::/16',
  'net fe80::/10',
  'port 80',
  'src port 80',
  'tcp port 80',
  'udp port 80',
  'udp dst port 67',
  'port 53',
  'portrange 5001-6000',
  'tcp src portrange 1-1024',
  'less 60',
  'greater 1000',
  'vlan',
  'arp or icmp and host 10.0.0.2',
  'not arp and not host 10.0.0.1 or udp',
  '!(tcp or udp) && ip',
  'host 10.0.0.1 and (port 80 or icmp)',
])('%s', async (filter) => {
  const own = new Filter(filter)
  const taken = frames.filter(([, octets]) => own.matches(octets, 0, octets.length)).map(([name]) => name)
  expect(taken).toEqual(await takenByTcpdump(filter))
})
