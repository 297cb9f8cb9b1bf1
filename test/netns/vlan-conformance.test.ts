/**
 * A sample of the VLAN table through real ports, with frames that scapy makes and reads. The ports' modes are changed
 * while the hub runs: for the table as `hybridge bridge port set` asks the hub, in the other tests by that command.
 *
 *   [a eth0]---[eth1  hub  eth2]---[eth0 b]
 */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { RpcClient } from '#net/base/rpc.ts'
import { parseMacs, parsePorts, type PortStatus } from '#hub/command/show-text.ts'
import { type VlanCase, vlanCases } from '#test/conformance/vlan-case.ts'
import { Capture } from '#test/support/capture.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import type { Finished } from '#test/support/process.ts'
import { ScapySender, scapyFrames } from '#test/support/scapy-tags.ts'

const SOURCE = '02:00:00:00:00:01'

let lab: Lab
let b: Namespace
let hub: Hub
/** Asks the hub what `hybridge show` asks, and is quicker. */
let client: RpcClient
let scapy: ScapySender

beforeAll(async () => {
  lab = new Lab()
  const a = lab.namespace('a')
  const machine = lab.namespace('hub')
  b = lab.namespace('b')
  lab.link(a, 'eth0', machine, 'eth1')
  lab.link(machine, 'eth2', b, 'eth0')
  hub = await Hub.start(machine, {
    address: '127.0.0.1',
    bridges: ['v'],
    attach: ['v=nic:eth1,mode=access,vlan=10', 'v=nic:eth2,mode=trunk,tagged=10+20+100'],
  })
  client = new RpcClient(join(hub.data, 'run/control.sock'))
  scapy = await ScapySender.start(a)
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => {
  client.close()
  lab.close()
})

const ports = async (): Promise<PortStatus[]> => parsePorts(await client.call('ports'))
const macs = async (): Promise<unknown> => parseMacs(await client.call('macs'))
const watch = (): Promise<Capture> =>
  Capture.start(b, 'eth0', { direction: 'in', filter: `ether src ${SOURCE}` })

const set = (...words: string[]): Promise<Finished> =>
  hub.command(['bridge', 'port', 'set', 'v', ...words], { check: false })

async function setMode(port: number, mode: string): Promise<void> {
  expect(await set(String(port), `mode=${mode}`)).toMatchObject({ code: 0, stderr: '' })
}

/** What the command asks the hub. */
const askForMode = (port: number, mode: string): Promise<unknown> =>
  client.call('port.set', { bridge: 'v', port, settings: { mode } })

/** What of the table goes through real ports: each frame that it has between these. */
const PAIRS = [
  ['access', 'trunk'],
  ['tunnel', 'trunk'],
  ['mixed', 'trunk'],
  ['trunk', 'strict'],
  ['transparent', 'native'],
  ['trunk88a8', 'tunnel88a8'],
  ['tunnel9100', 'trunk9100'],
] as const
/** A kernel carries no tag that is cut short. */
const SAMPLE = PAIRS.map(([from, to]) =>
  vlanCases().filter((row) => row.from === from && row.to === to && !row.frame.endsWith('cut')),
)

const isDrop = ({ leaves }: VlanCase): boolean => /^(in|out):/.test(leaves)

/** `in:vlan` as often as it was counted. */
const named = (way: string, drops: Readonly<Record<string, number>> = {}): string[] =>
  Object.entries(drops).flatMap(([reason, count]) => Array<string>(count).fill(`${way}:${reason}`))

const say = ({ from, frame, to }: VlanCase, leaves: string): string =>
  `${from}: ${frame} leaves ${to} as ${leaves}`

it('the table holds between real ports, for frames of scapy', async () => {
  expect(SAMPLE.filter((rows) => rows.length < 2)).toEqual([])
  const capture = await watch()
  const sent: VlanCase[] = []
  let modes = ''
  for (const rows of SAMPLE) {
    const [{ fromMode, toMode } = { fromMode: '', toMode: '' }] = rows
    if (!modes.startsWith(`${fromMode} `)) await askForMode(1, fromMode)
    if (!modes.endsWith(` ${toMode}`)) await askForMode(2, toMode)
    modes = `${fromMode} ${toMode}`
    await client.call('counters.reset')
    for (const row of rows) await scapy.send('eth0', sent.push(row), row.frame)
    await expect
      .poll(async () => (await ports())[0]?.counters.inFrames, { timeout: 10_000 })
      .toBe(rows.length)
    const [first, second] = await ports()
    const drops = [...named('in', first?.counters.inDrops), ...named('out', second?.counters.outDrops)]
    const expected = rows.filter(isDrop).map((row) => row.leaves)
    expect({ modes, drops: drops.sort() }).toEqual({ modes, drops: expected.sort() })
  }
  await capture.seen(sent.filter((row) => !isDrop(row) && row.leaves !== '-').length)
  await capture.stop()
  const arrived = new Map((await scapyFrames(b, capture)).map(({ number, tags }) => [number, tags]))
  expect(sent.map((row, i) => say(row, arrived.get(i + 1) ?? '-'))).toEqual(
    sent.map((row) => say(row, isDrop(row) ? '-' : row.leaves)),
  )
})

describe('a port that is changed while it runs', () => {
  it('takes each frame in the old mode or in the new one, and loses none', async () => {
    await setMode(1, 'access,vlan=10')
    await setMode(2, 'trunk,native=1,tagged=10+20')
    await hub.command(['bridge', 'port', 'reset', 'v'])
    const capture = await watch()
    let isChanged = false
    const change = setMode(1, 'access,vlan=20').finally(() => (isChanged = true))
    let sent = 0
    for (let after = 0; after < 10; after += isChanged ? 1 : 0) await scapy.send('eth0', ++sent, 'untagged')
    await change
    await capture.seen(sent)
    await capture.stop()
    const tags = (await scapyFrames(b, capture)).map((frame) => frame.tags)
    const before = tags.indexOf('8100:20')
    const after = sent - before
    expect(before).toBeGreaterThan(0)
    expect(tags).toEqual([...Array<string>(before).fill('8100:10'), ...Array<string>(after).fill('8100:20')])
    const { stdout } = await hub.command(['show', 'vlans', 'v', '--json'])
    const row = { tpid: 0x8100, untagged: [], tagged: [], addresses: 0, frames: 0, octets: 0 }
    expect(JSON.parse(stdout)).toEqual([
      {
        bridge: 'v',
        transparent: [],
        vlans: [
          { ...row, vlan: 1, untagged: [2] },
          { ...row, vlan: 10, tagged: [2], frames: before, octets: 60 * before },
          { ...row, vlan: 20, untagged: [1], tagged: [2], addresses: 1, frames: after, octets: 60 * after },
        ],
      },
    ])
  })

  it('forgets its addresses', async () => {
    await scapy.send('eth0', 1, 'untagged')
    await expect.poll(macs).toMatchObject([{ address: SOURCE, vlan: 20, port: 1 }])
    await setMode(1, 'trunk,tagged=20')
    expect(await macs()).toEqual([])
  })

  it('stays as it is when the change is refused, and says why', async () => {
    const before = await ports()
    for (const [words, code, stderr] of [
      [
        ['1', 'mode=access,vlan=4095'],
        2,
        'port option vlan=4095 is not valid: it takes a VLAN from 0 to 4094',
      ],
      [
        ['1', 'mode=trunk,qnq=5'],
        2,
        'port option qnq=5 does not belong here: mode=trunk takes native, tagged, tpid',
      ],
      [['9', 'mode=trunk'], 1, 'v has no port 9; ports: 1, 2'],
      [['1', 'trunk'], 2, '"trunk" is no SETTING=VALUE, as mode=access,vlan=10'],
    ] as const)
      expect(await set(...words)).toMatchObject({ code, stdout: '', stderr: `hybridge: ${stderr}\n` })
    expect((await ports()).map(({ mode }) => mode)).toEqual(before.map(({ mode }) => mode))
  })
})
