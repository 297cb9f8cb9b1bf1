import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { listenUnix, type UnixListener } from '#hub/base/unix-listener.ts'
import { Fabric } from '#hub/fabric/fabric.ts'
import { answerTunnel } from '#hub/fabric/tunnel-socket.ts'
import { decodeBye } from '#net/tunnel/bye.ts'
import { RECORD_BYE, RecordScanner } from '#net/tunnel/framing.ts'
import { MOST_STREAMS } from '#net/port/tunnel/bundle.ts'
import { flowFrame } from '#test/support/flow-frames.ts'
import { frameRecord } from '#test/support/ssh-peer.ts'
import { until } from '#test/support/process.ts'
import { host } from '#test/support/switch-lab.ts'

interface Answer {
  readonly ok: boolean
  readonly port?: number
  readonly token?: string
  readonly code?: string
}

let directory: string
let fabric: Fabric
let listener: UnixListener
let log: string[]
const gateways: net.Socket[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tunnel-streams-'))
  log = []
  const bridges = [{ name: 'lab' }, { name: 'other' }]
  fabric = new Fabric(
    { bridges, attach: [] },
    (_level, text) => log.push(text),
    () => performance.now(),
  )
  listener = listenUnix(join(directory, 's'), 0o600, (fd) => answerTunnel(fd, fabric))
})
afterEach(() => {
  for (const gateway of gateways.splice(0)) gateway.destroy()
  fabric.close()
  listener.close()
  rmSync(directory, { recursive: true })
})

/** A stream as a gateway has it, and what it has heard of the fabric. */
class Stream {
  frameOctets = 0
  bye = ''
  readonly socket: net.Socket
  readonly answer: Promise<Answer>

  constructor(request: object) {
    const socket = net.connect(join(directory, 's'))
    gateways.push(socket)
    this.socket = socket
    const words = { kind: 'tunnel', bridge: 'lab', user: 'ann', name: 'pc', key: 'k' }
    const addresses = { localAddress: '127.0.0.1', peerAddress: '127.0.0.1' }
    socket.write(`${JSON.stringify({ ...words, ...addresses, largestFrame: 9216, ...request })}\n`)
    const scanner = new RecordScanner({
      onFrames: (_chunk, start, end) => (this.frameOctets += end - start),
      onControl: (type, payload) => {
        if (type === RECORD_BYE) this.bye = decodeBye(payload).code
      },
    })
    this.answer = new Promise((resolve) => {
      socket.once('data', (chunk: Buffer) => {
        const end = chunk.indexOf('\n')
        const answer: Answer = JSON.parse(chunk.toString('utf8', 0, end))
        resolve(answer)
        scanner.scan(chunk, end + 1, chunk.length)
        socket.on('data', (octets: Buffer) => scanner.scan(octets, 0, octets.length))
      })
    })
    socket.on('error', () => {})
  }
}

const soon = (condition: () => boolean): Promise<true> => until('what is expected', condition)

it('joins further streams of a tunnel to its port, and spreads flows over them', async () => {
  const first = new Stream({})
  const { port, token } = await first.answer
  expect(token).toMatch(/^[\w-]{22}$/)
  const further = new Stream({ token })
  expect(await further.answer).toEqual({ ok: true, port, token })
  const peer = new Stream({ key: 'peer', name: 'peer' })
  await peer.answer
  // From either stream to the others of the bridge, and not back on the other one.
  for (const stream of [first, further])
    stream.socket.write(frameRecord(flowFrame({ macs: [host(9), host(1)] })))
  await soon(() => peer.frameOctets === 2 * 74)
  expect([first.frameOctets, further.frameOctets]).toEqual([0, 0])
  for (let ports = 0; ports < 60; ports++)
    peer.socket.write(frameRecord(flowFrame({ ports, macs: [host(1), host(9)] })))
  await soon(() => first.frameOctets + further.frameOctets === 60 * 74)
  expect(first.frameOctets).toBeGreaterThan(0)
  expect(further.frameOctets).toBeGreaterThan(0)
  expect(fabric.ports('lab')[0]?.counters).toMatchObject({ inFrames: 2, outFrames: 60, outDrops: {} })
  expect(log).toContain(`port ${port} of lab has 2 connections now`)
  expect(log.join()).not.toContain(token)
})

it('goes on when a further stream ends', async () => {
  const first = new Stream({})
  const { token } = await first.answer
  const further = new Stream({ token })
  await further.answer
  further.socket.destroy()
  await soon(() => log.includes('port 1 of lab has 1 connection now'))
  const peer = new Stream({ key: 'peer' })
  await peer.answer
  for (let ports = 0; ports < 60; ports++) peer.socket.write(frameRecord(flowFrame({ ports })))
  await soon(() => first.frameOctets === 60 * 74)
  expect(fabric.ports('lab')[0]).toMatchObject({ up: true, counters: { outFrames: 60, outDrops: {} } })
})

it('ends the further streams with the first, or when that is taken over', async () => {
  const first = new Stream({})
  const { token } = await first.answer
  const further = new Stream({ token })
  await further.answer
  const second = new Stream({})
  const taken = await second.answer
  await soon(() => first.bye === 'taken-over' && further.bye === 'taken-over')
  expect(taken.port).toBe(1)
  expect(taken.token).not.toBe(token)
  const another = new Stream({ token: taken.token })
  expect((await another.answer).ok).toBe(true)
  second.socket.destroy()
  await soon(() => another.bye === 'closed')
})

it('refuses whoever has not the token of a tunnel of his on that bridge', async () => {
  const { token } = await new Stream({}).answer
  const wrong = [{ token: `${token}x` }, { token, user: 'bob' }, { token, bridge: 'other' }]
  for (const request of wrong)
    expect(await new Stream(request).answer).toMatchObject({ ok: false, code: 'no-tunnel' })
})

it('takes so many of a tunnel, and so many of a user', async () => {
  const joinAll = async (token: string | undefined): Promise<Answer[]> => {
    const answers: Answer[] = []
    for (let i = 1; i < MOST_STREAMS; i++) answers.push(await new Stream({ token }).answer)
    return answers
  }
  const { token } = await new Stream({}).answer
  expect((await joinAll(token)).every(({ ok }) => ok)).toBe(true)
  expect(await new Stream({ token }).answer).toMatchObject({ ok: false, code: 'too-many-tunnels' })
  const refused: Answer[] = []
  for (let i = 1; refused.length === 0; i++) {
    const other = await new Stream({ key: String(i) }).answer
    refused.push(...(await joinAll(other.token)).filter(({ ok }) => !ok))
  }
  // 18 tunnels have 7 further streams each, the next one 2.
  expect(refused.map(({ code }) => code)).toEqual(Array(5).fill('too-many-tunnels'))
  expect(fabric.ports('lab')).toHaveLength(19)
})
