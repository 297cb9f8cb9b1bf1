/**
 * Every frame of the site's LAN comes out at the hub's switch as it was sent, and the other way round. The interfaces
 * named `lan` are bridged by agent and hub and start with an MTU of 1500; `pc` and `far` can send jumbo frames.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *                  hconnect           (bridge)           hybridge
 *
 *   [a eth0]---[eth0 b]    a plain cable: what the kernel itself carries
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { flowHash } from '#net/wire/flow-hash.ts'
import { startAgent } from '#test/support/agent.ts'
import { carry, differences, type End } from '#test/support/flow-check.ts'
import { everyKind, everySize, randomFrames, type NamedFrame } from '#test/support/frame-kinds.ts'
import { makeFrame } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import type { Running } from '#test/support/process.ts'
import { HUB_ADDRESS, buildSite, type Site } from '#test/support/site.ts'

const LARGEST = 9216
const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i)

/** Sizes around every limit that somebody on the way might have. */
const EDGES = [
  ...range(14, 34),
  ...range(58, 66),
  ...range(1512, 1535),
  2048,
  4096,
  ...range(8998, 9022),
  LARGEST - 1,
  LARGEST,
]

/** With latency control flows take turns, and order holds within each. */
const MODES = [
  {
    title: 'The tunnel',
    args: [],
    flowOf: (frame: Buffer) => flowHash(frame, 0, frame.length, 0),
    pauseMs: 500,
  },
  {
    title: 'The tunnel without latency control',
    args: ['--no-latency-control'],
    flowOf: () => 0,
    pauseMs: 0,
  },
]

let lab: Lab
let hub: Hub
let site: Site
let pc: End
let far: End
let a: End
let b: End
/** Of the bridged interfaces. */
let mtusBefore: number[]

beforeAll(async () => {
  lab = new Lab()
  site = buildSite(lab)
  pc = { at: site.pc, nic: 'eth0' }
  far = { at: site.far, nic: 'eth0' }
  a = { at: lab.namespace('a'), nic: 'eth0' }
  b = { at: lab.namespace('b'), nic: 'eth0' }
  lab.link(a.at, a.nic, b.at, b.nic)
  for (const end of [pc, far, a, b]) {
    end.at.ip('address', 'flush', 'dev', end.nic)
    end.at.ip('link', 'set', end.nic, 'mtu', String(LARGEST))
  }
  mtusBefore = [site.site.state('lan').mtu, site.hub.state('lan').mtu]
  hub = await Hub.start(site.hub, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

const octetsOf = (frames: readonly NamedFrame[]): Buffer[] => frames.map(({ frame }) => frame)

const sentBy = (source: string, frames: readonly Buffer[]): Buffer[] =>
  frames.filter((frame) => frame.toString('hex', 6, 12) === source.replaceAll(':', ''))

describe('A plain cable', () => {
  it('carries all but frames that end less than six octets behind the first tag, which the kernel loses', async () => {
    const cut = [0x8100, 0x88a8].flatMap((tpid) =>
      range(14, 19).map((length) => ({
        name: `${length} octets, TPID ${tpid.toString(16)}`,
        frame: Buffer.concat([makeFrame({ length: 14, type: tpid }), Buffer.alloc(length - 14, 1)]),
      })),
    )
    const sent = [...everyKind(), ...everySize(EDGES), ...cut]
    const { arrived } = await carry(a, b, octetsOf(sent))
    expect(differences(sent, arrived)).toEqual(cut.map(({ name }) => `lost: ${name}`))
  })
})

describe.each(MODES)('$title', ({ args, flowOf, pauseMs }) => {
  let agent: Running

  beforeAll(async () => {
    agent = await startAgent(site.site, { hub, nic: 'lan', interval: 0.2, args })
  })
  afterAll(() => agent.stop('SIGTERM'))

  /** Both ways: all frames, in order, once, unaltered, nothing else, and nothing back to where they came from. */
  async function expectCarried(sent: readonly NamedFrame[]): Promise<void> {
    for (const [from, to] of [
      [pc, far],
      [far, pc],
    ] as const) {
      const { left, arrived } = await carry(from, to, octetsOf(sent), pauseMs)
      expect(differences(sent, arrived, flowOf)).toEqual([])
      expect(differences(sent, left)).toEqual([])
    }
  }

  it('carries every kind of frame under every stack of tags', async () => {
    await expectCarried(everyKind())
  })

  it('carries every size around the edges under every stack of tags', async () => {
    await expectCarried(everySize(EDGES))
    expect(mtusBefore).toEqual([1500, 1500])
  })

  it('carries frames of any size both ways at once, each way in order', async () => {
    const up = randomFrames(400, '02:00:00:00:01:01', LARGEST)
    const down = randomFrames(400, '02:00:00:00:01:02', LARGEST)
    const [there, back] = await Promise.all([
      carry(pc, far, octetsOf(up), pauseMs),
      carry(far, pc, octetsOf(down), pauseMs),
    ])
    expect(differences(up, sentBy('02:00:00:00:01:01', there.arrived), flowOf)).toEqual([])
    expect(differences(down, sentBy('02:00:00:00:01:02', back.arrived), flowOf)).toEqual([])
  })
})
