/**
 * What fails inside a batch loses only itself: frames are given to a network card's port by hand.
 *
 *   [a  eth0]---[eth0  b]      a: the port under test; b: tcpdump
 */
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Capture } from '#test/support/capture.ts'
import { Lab } from '#test/support/netns.ts'
import type { Namespace } from '#test/support/netns.ts'

const PROGRAM = join(import.meta.dirname, '../support/send-batch.ts')

let lab: Lab
let a: Namespace
let b: Namespace

beforeAll(() => {
  lab = new Lab()
  a = lab.namespace('a')
  b = lab.namespace('b')
  lab.link(a, 'eth0', b, 'eth0')
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

const NONE = { inFrames: 0, inOctets: 0, inDrops: {} }

it('loses alone what the queueing discipline of the interface drops', async () => {
  // Room for one frame under way and one that waits.
  a.exec('tc', ...'qdisc add dev eth0 root tbf rate 1kbit burst 70 limit 60'.split(' '))
  const { stdout } = await a.run(process.execPath, ['--import', 'tsx', PROGRAM, 'eth0'])
  a.exec('tc', ...'qdisc del dev eth0 root'.split(' '))
  expect(JSON.parse(stdout)).toEqual({
    ...NONE,
    outFrames: 2,
    outOctets: 120,
    outDrops: { 'too-big': 1, 'bad-offload': 1, 'queue-full': 1 },
  })
})

it('sends the frames around one that is too long, and around one that the kernel refuses', async () => {
  const capture = await Capture.start(b, 'eth0')
  const { stdout } = await a.run(process.execPath, ['--import', 'tsx', PROGRAM, 'eth0'])
  const counters: unknown = JSON.parse(stdout)
  const frames = await capture.stop()
  expect(counters).toEqual({
    ...NONE,
    outFrames: 3,
    outOctets: 180,
    outDrops: { 'too-big': 1, 'bad-offload': 1 },
  })
  // Each carries its place in the batch.
  expect(frames.map((frame) => frame[20])).toEqual([0, 2, 4])
})
