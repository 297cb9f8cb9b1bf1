import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serveCaptures } from '#agent/service/capture-server.ts'
import { LanRing } from '#agent/service/lan-ring.ts'
import { openCapture, passCapture } from '#net/capture/capture-client.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { RECEIVED } from '#net/switch/observer.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { readPcapng } from '#test/support/pcapng.ts'
import { BROADCAST, frameOf, host, SwitchLab } from '#test/support/switch-lab.ts'

let directory = ''
let ring: LanRing
let lab: SwitchLab
let endCaptures = (): void => {}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ring-'))
  ring = new LanRing('eth1', 1 << 20)
  lab = new SwitchLab(['mode=transparent', 'mode=transparent'])
  lab.bridge.observe(ring.capture, 1)
  endCaptures = await serveCaptures(join(directory, 'c'), (link) => (link === 'lab1' ? ring : undefined))
})
afterEach(() => {
  endCaptures()
  lab.bridge.unobserve(ring.capture)
  ring.close()
  rmSync(directory, { recursive: true })
})

const send = (frames: number): void => {
  for (let i = 0; i < frames; i++) lab.port(1).inject(frameOf(BROADCAST, host(1), ''))
}

/** What a reader gets to its end. */
async function read(request: object) {
  const capture = await openCapture(join(directory, 'c'), request)
  const output = new PassThrough()
  const chunks: Buffer[] = []
  output.on('data', (chunk: Buffer) => chunks.push(chunk))
  const blocks = await passCapture(capture, output)
  return { blocks, file: readPcapng(Buffer.concat(chunks)) }
}

describe('the ring of a LAN', () => {
  it('keeps the newest frames, and each reader gets all of them', async () => {
    send(20_000)
    const { blocks, file } = await read({ link: 'lab1', once: true })
    expect([blocks.isComplete, blocks.lost]).toEqual([true, 0])
    // A block of a frame of 60 octets has 104.
    expect(file.packets.length).toBe(Math.floor((1 << 20) / 104))
    expect((await read({ link: 'lab1', once: true })).file.packets.length).toBe(file.packets.length)
  })

  it('lets go at once of who only looks whether it is served', async () => {
    const visitor = net.connect({ path: join(directory, 'c'), allowHalfOpen: true }).resume()
    visitor.end()
    const began = performance.now()
    await once(visitor, 'end')
    expect(performance.now() - began).toBeLessThan(2000)
    visitor.destroy()
  })

  it('goes on until the reader ends', async () => {
    send(3)
    const capture = await openCapture(join(directory, 'c'), { link: 'lab1' })
    const output = new PassThrough()
    const passed = passCapture(capture, output)
    await new Promise((resolve) => output.once('data', resolve))
    send(4)
    capture.socket.end()
    output.resume()
    const { packets, isComplete } = await passed
    expect([packets, isComplete]).toEqual([7, true])
  })

  it('refuses links without one, and the fifth reader', async () => {
    await expect(read({ link: 'lab2' })).rejects.toThrow('the link keeps no capture ring now')
    const open = await Promise.all(
      Array.from({ length: 4 }, () => openCapture(join(directory, 'c'), { link: 'lab1' })),
    )
    await expect(read({ link: 'lab1' })).rejects.toThrow('4 read this ring already')
    for (const { socket } of open) socket.destroy()
  })

  it.each(['no JSON\n', '[]\n', '{"link":"lab1"}\nmore', 'x'.repeat(2000)])(
    'lets go of a peer that says %.20j',
    async (text) => {
      const socket = net.connect(join(directory, 'c'))
      socket.on('error', () => {})
      socket.write(text)
      const octets: Buffer[] = []
      socket.on('data', (chunk: Buffer) => octets.push(chunk))
      await new Promise((resolve) => socket.once('close', resolve))
      expect(Buffer.concat(octets).length).toBe(0)
    },
  )

  it('allocates nothing per frame', () => {
    const octets = frameOf(BROADCAST, host(1), '')
    const memory = FrameMemory.native(256)
    memory.bytes.set(octets, 32)
    const source = lab.entry(1)
    const step = (): void => ring.capture.frame(source, RECEIVED, -1, memory, 32, 32 + octets.length)
    ring.capture.allow(2 ** 50)
    expect(bytesPerCall(step, 20_000)).toBeLessThan(8)
  })
})
