import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { callerOn } from '#hub/gateway/caller.ts'
import { Tunnel } from '#hub/gateway/tunnel.ts'
import { decodeBye } from '#net/tunnel/bye.ts'
import { RECORD_BYE, RECORD_HELLO, RecordScanner } from '#net/tunnel/framing.ts'
import { flowFrame } from '#test/support/flow-frames.ts'
import { frameRecord, helloRecord } from '#test/support/ssh-peer.ts'
import { QuietConnection, WindowChannel } from '#test/support/window-channel.ts'

class GatewayChannel extends WindowChannel {
  status = -1
  exit(status: number): void {
    this.status = status
  }
}

const home = process.cwd()
let directory: string
let fabric: net.Server

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-tunnel-'))
  mkdirSync(join(directory, 'run'))
  process.chdir(directory)
})
afterEach(() => {
  fabric.close()
  process.chdir(home)
  rmSync(directory, { recursive: true })
})

it('lets go of both sides when an agent is lost in the middle of a frame', async () => {
  let isClosed = false
  fabric = net.createServer((socket) => {
    socket.on('error', () => {}).on('close', () => (isClosed = true))
    socket.once('data', () => {
      socket.resume().write('{"ok":true,"port":3}\n')
      // Of a frame that never ends.
      setTimeout(() => socket.write(frameRecord(flowFrame({ ports: 1 }, 1500, 1)).subarray(0, 900)), 50)
    })
  })
  await new Promise<void>((resolve) => fabric.listen('run/tunnel.sock', resolve))
  const channel = new GatewayChannel()
  channel.open(1e6)
  const onEnd = vi.fn<() => void>()
  const options = {
    bridge: 'private0',
    find: async () => 'private0',
    user: 'ann',
    channel,
    caller: callerOn(new QuietConnection()),
    log: () => {},
    onEnd,
  }
  expect(new Tunnel(options)).toBeDefined()
  channel.push(helloRecord({ latencyControl: false, keepaliveMs: 400 }))
  await vi.waitFor(() => expect(Buffer.concat(channel.sent).length).toBeGreaterThan(900))
  await vi.waitFor(() => expect([onEnd.mock.calls.length, isClosed]).toEqual([1, true]), { timeout: 8000 })
})

/** An agent says hello to a gateway whose fabric answers so. @returns what the agent hears */
async function answered(answer: string): Promise<string> {
  fabric = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.write(answer))
  })
  await new Promise<void>((resolve) => fabric.listen('run/tunnel.sock', resolve))
  const channel = new GatewayChannel()
  channel.open(1e6)
  const onEnd = vi.fn<() => void>()
  const tunnel = new Tunnel({
    bridge: 'private0',
    find: async () => 'private0',
    user: 'ann',
    channel,
    caller: callerOn(new QuietConnection()),
    log: () => {},
    onEnd,
  })
  channel.push(helloRecord())
  await vi.waitFor(() => expect(Buffer.concat(channel.sent).length).toBeGreaterThan(0))
  const heard: string[] = []
  const octets = Buffer.concat(channel.sent)
  new RecordScanner({
    onFrames: () => {},
    onControl: (type, payload) => {
      if (type === RECORD_HELLO) heard.push('hello')
      if (type === RECORD_BYE) heard.push(decodeBye(payload).message)
    },
  }).scan(octets, 0, octets.length)
  tunnel.bye('leave', 'the test is over')
  expect([onEnd.mock.calls.length, channel.status]).toEqual([1, 0])
  return heard.join(', ')
}

it('asks for the port of another tunnel, and tells the token and what buffers let be under way', async () => {
  let asked = ''
  fabric = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (chunk) => {
      asked = chunk.toString()
      socket.write('{"ok":true,"port":3,"token":"secret"}\n')
    })
  })
  await new Promise<void>((resolve) => fabric.listen('run/tunnel.sock', resolve))
  const channel = new GatewayChannel()
  channel.open(1e6)
  const tunnel = new Tunnel({
    bridge: 'private0',
    find: async () => 'private0',
    user: 'ann',
    channel,
    caller: callerOn(new QuietConnection()),
    buffers: { sendOctets: 4e6, receiveOctets: Infinity },
    log: () => {},
    onEnd: () => {},
  })
  channel.push(helloRecord({ token: 'secret' }))
  let hello = ''
  const scanner = new RecordScanner({
    onFrames: () => {},
    onControl: (type, payload) => {
      if (type === RECORD_HELLO) hello = new TextDecoder().decode(payload)
    },
  })
  await vi.waitFor(() => expect(Buffer.concat(channel.sent).length).toBeGreaterThan(0))
  const octets = Buffer.concat(channel.sent)
  scanner.scan(octets, 0, octets.length)
  expect(JSON.parse(asked)).toMatchObject({ token: 'secret', bridge: 'private0' })
  expect(JSON.parse(hello)).toMatchObject({ token: 'secret', sendOctets: 4e6 })
  expect(JSON.parse(hello)).not.toHaveProperty('receiveOctets')
  tunnel.bye('leave', 'the test is over')
})

describe("A tunnel's agent", () => {
  it.each([
    ['takes it', '{"ok":true,"port":3}\n', 'hello'],
    ['refuses it', '{"ok":false,"code":"unknown-bridge","message":"there is none"}\n', 'there is none'],
    ['says something else', '[]\n', 'the switch gives no answer'],
    ['says nothing that can be read', 'no JSON\n', 'the switch gives no answer'],
    ['says it twice', '{"ok":false,"code":"x","message":"no"}\n{"ok":true}\n', 'no'],
    ['says too much', 'x'.repeat(5000), 'the switch went away'],
  ])('hears what becomes of it when the switch %s', async (_what, answer, heard) => {
    expect(await answered(answer)).toBe(heard)
  })
})
