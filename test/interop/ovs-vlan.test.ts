/**
 * The VLAN table through a hub and through Open vSwitch in the same run: the same frames, of scapy, into ports of the
 * same modes. What the table expects comes first; where Open vSwitch differs is written here, with the reason.
 *
 *   [sender hub]---[eth1  hub  eth2]---[hub receiver]
 *   [sender ovs]---[eth1  ovs  eth2]---[ovs receiver]
 *   [sender mark]---[eth3  ovs  eth4]---[mark receiver]    says when all before it is through
 */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { RpcClient } from '#net/base/rpc.ts'
import { parsePorts } from '#hub/command/show-text.ts'
import { type VlanCase, vlanCases } from '#test/conformance/vlan-case.ts'
import { Capture } from '#test/support/capture.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { OpenVSwitch } from '#test/support/open-vswitch.ts'
import { ScapySender, scapyFrames } from '#test/support/scapy-tags.ts'

/** Modes of the table as Open vSwitch has them. Its trunks read tags of both TPIDs. */
const OVS_MODES: Readonly<Record<string, readonly string[]>> = {
  access: ['vlan_mode=access', 'tag=10'],
  native: ['vlan_mode=native-untagged', 'tag=10', 'trunks=20,100'],
  trunk: ['vlan_mode=trunk', 'trunks=10,20,100'],
  trunk88a8: ['vlan_mode=trunk', 'trunks=10,20,100'],
  tunnel: ['vlan_mode=dot1q-tunnel', 'tag=100', 'other_config:qinq-ethtype=802.1q'],
  tunnel88a8: ['vlan_mode=dot1q-tunnel', 'tag=100', 'other_config:qinq-ethtype=802.1ad'],
}
const PORTS = ['eth1', 'eth2']

let lab: Lab
let sender: Namespace
let receiver: Namespace
let hub: Hub
let client: RpcClient
let ovs: OpenVSwitch

beforeAll(async () => {
  lab = new Lab()
  sender = lab.namespace('sender')
  receiver = lab.namespace('receiver')
  const ours = lab.namespace('hub')
  const theirs = lab.namespace('ovs')
  const offloads = false
  lab.link(sender, 'hub', ours, 'eth1', { offloads })
  lab.link(ours, 'eth2', receiver, 'hub', { offloads })
  lab.link(sender, 'ovs', theirs, 'eth1', { offloads })
  lab.link(theirs, 'eth2', receiver, 'ovs', { offloads })
  lab.link(sender, 'mark', theirs, 'eth3', { offloads })
  lab.link(theirs, 'eth4', receiver, 'mark', { offloads })
  hub = await Hub.start(ours, {
    address: '127.0.0.1',
    bridges: ['v'],
    attach: PORTS.map((nic) => `v=nic:${nic}`),
  })
  client = new RpcClient(join(hub.data, 'run/control.sock'))
  ovs = await OpenVSwitch.start(theirs, [...PORTS, 'eth3', 'eth4'])
  ovs.set('set', 'Open_vSwitch', '.', 'other_config:vlan-limit=2')
  for (const nic of ['eth3', 'eth4']) ovs.set('set', 'port', nic, 'vlan_mode=access', 'tag=4000')
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => {
  client.close()
  lab.close()
})

/** All rows between modes that both have, but for tags that are cut short, which a kernel does not carry. */
const ROWS = vlanCases().filter(
  ({ from, to, frame }) => from in OVS_MODES && to in OVS_MODES && !frame.endsWith('cut'),
)

const expected = ({ leaves }: VlanCase): string => (/^(in|out):/.test(leaves) ? '-' : leaves)

/**
 * Where Open vSwitch differs in kind: a VID is one VLAN to it, whether the tag's TPID is 0x8100 or 0x88a8, on every port.
 * Ours tells the two apart (IEEE Std 802.1Q-2022 §9.5), and reads a tag of a TPID that no port uses as payload.
 */
const ONE_VLAN_FOR_BOTH_TPIDS = `
access | 88a8:20/5 | access | -
access | 88a8:20/5 | native | -
access | 88a8:20/5 | trunk | -
access | untagged | trunk88a8 | 8100:10
native | 88a8:20/5 | access | -
native | 88a8:20/5 | trunk | 88a8:20/5
trunk | 88a8:20/5 | native | 88a8:20/5
trunk | 88a8:20/5 | trunk | 88a8:20/5
trunk | 88a8:20/5 | trunk88a8 | 88a8:20/5
trunk | 8100:20/5 | trunk88a8 | 8100:20/5
trunk | 8100:100/5 8100:20/3 | tunnel88a8 | 8100:20/3
trunk88a8 | 88a8:20/5d | trunk | 88a8:20/5
trunk88a8 | 8100:20/5 | trunk88a8 | 8100:20/5
trunk88a8 | 88a8:100/5d 8100:20/3 | tunnel | 8100:20/3
tunnel88a8 | untagged | trunk | 88a8:100
`

function expectedOfOvs(row: VlanCase): string {
  const line = ONE_VLAN_FOR_BOTH_TPIDS.split('\n').find((one) =>
    one.startsWith(`${row.from} | ${row.frame} | ${row.to} | `),
  )
  if (line !== undefined) return line.split(' | ').at(-1) ?? ''
  // It keeps no DEI: the bit says in its flow table that there is a tag.
  const tags = expected(row)
    .replaceAll('/0d', '')
    .replaceAll(/(\/\d)d/g, '$1')
    .split(' ')
  // It gives a service tag that it pushes priority 0.
  const isPushed = row.from.startsWith('tunnel') && tags.length > row.frame.split(' ').length
  return tags.map((tag, i) => (i === 0 && isPushed ? tag.replace(/\/\d$/, '') : tag)).join(' ')
}

/** How many frames the hub has taken from the sender. */
const received = async (): Promise<number | undefined> =>
  parsePorts(await client.call('ports'))[0]?.counters.inFrames

const watch = (nic: string): Promise<Capture> =>
  Capture.start(receiver, nic, { direction: 'in', filter: 'ether src 02:00:00:00:00:01' })

/** Each row with what its frame leaves as. */
const say = (leaves: (row: VlanCase, i: number) => string): string[] =>
  ROWS.map((row, i) => `${row.from}: ${row.frame} leaves ${row.to} as ${leaves(row, i)}`)

it('the table holds for both', async () => {
  const scapy = await ScapySender.start(sender)
  const captures = [await watch('hub'), await watch('ovs')]
  const marks = await watch('mark')
  let sent = 0
  let marked = 0
  for (const pair of new Set(ROWS.map(({ from, to }) => `${from} ${to}`))) {
    const rows = ROWS.filter(({ from, to }) => `${from} ${to}` === pair)
    const [first] = rows
    for (const [port, mode] of [[1, first?.fromMode] as const, [2, first?.toMode] as const])
      await client.call('port.set', { bridge: 'v', port, settings: { mode } })
    ovs.set(
      ...PORTS.flatMap((nic, i) => {
        const mode = OVS_MODES[(i === 0 ? first?.from : first?.to) ?? ''] ?? []
        return ['--', 'clear', 'port', nic, 'tag', 'trunks', '--', 'set', 'port', nic, ...mode]
      }),
    )
    ovs.purge()
    for (const row of rows)
      for (const nic of ['hub', 'ovs']) await scapy.send(nic, ROWS.indexOf(row), row.frame)
    sent += rows.length
    await expect.poll(received, { timeout: 10_000 }).toBe(sent)
    // Open vSwitch reads port after port: when a second round has come to the last port, the first one has ended.
    for (let round = 0; round < 2; round++) {
      await scapy.send('mark', marked++, 'untagged')
      await marks.seen(marked)
    }
  }
  const seen: string[][] = []
  for (const capture of captures) {
    await capture.stop()
    const arrived = new Map((await scapyFrames(receiver, capture)).map(({ number, tags }) => [number, tags]))
    seen.push(ROWS.map((_, i) => arrived.get(i) ?? '-'))
  }
  expect(say((_, i) => seen[0]?.[i] ?? '')).toEqual(say(expected))
  expect(say((_, i) => seen[1]?.[i] ?? '')).toEqual(say(expectedOfOvs))
})
