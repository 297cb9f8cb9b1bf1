/**
 *   [a eth0 10.99.0.1]---[10.99.0.2 eth0 b]
 */
import { existsSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Capture } from '#test/support/capture.ts'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import { Lab } from '#test/support/netns.ts'
import type { Namespace } from '#test/support/netns.ts'
import { Running } from '#test/support/process.ts'

let lab: Lab
let a: Namespace
let b: Namespace

beforeEach(() => {
  lab = new Lab()
  a = lab.namespace('a')
  b = lab.namespace('b')
  lab.link(a, 'eth0', b, 'eth0')
})
afterEach(() => lab.close())

describe('Lab', () => {
  it('leaves no namespace, no process and no file', async () => {
    const sleeper = a.spawn('sleep', ['60'])
    a.spawn('sh', ['-c', 'setsid sleep 61 & wait'])
    const { name, directory } = a
    lab.close()
    expect(existsSync(`/run/netns/${name}`)).toBe(false)
    expect(existsSync(directory)).toBe(false)
    expect((await sleeper.exited).signal).toBe('SIGKILL')
  })

  it('leaves nothing when its process is told to end', async () => {
    const script = `import { Lab } from '#test/support/netns.ts'
      const lab = new Lab()
      const machine = lab.namespace('m')
      machine.spawn('sleep', ['60'])
      console.log(machine.name)`
    const process = new Running('node', ['--import', 'tsx', '--input-type=module', '-e', script])
    const [name] = await process.line(/^hy.*/)
    expect(existsSync(`/run/netns/${name}`)).toBe(true)
    expect((await process.stop('SIGTERM')).signal).toBe('SIGTERM')
    expect(existsSync(`/run/netns/${name}`)).toBe(false)
  })

  it('says nothing on a cable by itself', async () => {
    const capture = await Capture.start(b, 'eth0')
    const frame = makeFrame({ length: 60 })
    await sendFrames(a, 'eth0', [frame])
    await capture.seen(1)
    expect(await capture.stop()).toEqual([frame])
    expect(b.state('eth0').stats64.rx.packets).toBe(1)
  })

  it('joins the ends of a cable, over IPv4 and IPv6, at once', async () => {
    a.address('eth0', '10.99.0.1/24')
    b.address('eth0', '10.99.0.2/24')
    a.address('eth0', 'fd00::1/64')
    b.address('eth0', 'fd00::2/64')
    await a.reaches('10.99.0.2', 1)
    await a.reaches('fd00::2', 1)
    const server = b.spawn('iperf3', ['-s', '-p', '5000'])
    await b.listening(5000)
    expect(server.alive).toBe(true)
  })
})

describe('Capture', () => {
  it('has every frame with its tags, octet by octet', async () => {
    b.ip('link', 'set', 'eth0', 'mtu', '9300')
    a.ip('link', 'set', 'eth0', 'mtu', '9300')
    const frames = [
      makeFrame({ length: 14 }),
      makeFrame({ length: 20, tags: [[0x8100, 0x6007]] }),
      makeFrame({
        length: 1518,
        tags: [
          [0x88a8, 100],
          [0x8100, 7],
        ],
      }),
      makeFrame({ length: 9216, tags: [[0x9100, 7]], seed: 3 }),
      ...Array.from({ length: 500 }, (_, seed) => makeFrame({ length: 100 + seed, seed })),
    ]
    const capture = await Capture.start(b, 'eth0')
    await sendFrames(a, 'eth0', frames)
    await capture.seen(frames.length)
    const seen = await capture.stop()
    expect(seen.length).toBe(frames.length)
    expect(Buffer.concat(seen).equals(Buffer.concat(frames))).toBe(true)
  })
})
