import { beforeEach, describe, expect, it } from 'vitest'
import { ProtocolError, SystemError } from '#net/base/errors.ts'
import type { RpcParams } from '#net/base/rpc.ts'
import { HubSource } from '#hub/top/source.ts'

const counters = { inFrames: 3, inOctets: 192, outFrames: 0, outOctets: 0, inDrops: {}, outDrops: {} }
const port = {
  bridge: 'lab',
  number: 2,
  name: 'tunnel:ann@site',
  description: 'ann@site',
  up: true,
  mode: 'mode=transparent',
  untaggedVlan: 0,
  qnq: 0,
  strict: false,
  maxFrame: 1514,
  settings: {},
  counters,
}
const link = {
  bridge: 'lab',
  port: 2,
  name: 'ann@site',
  address: '192.0.2.1',
  connected: true,
  since: 7,
  roundTripMs: 12.5,
  reconnects: 1,
  reason: '',
}
const talker = { bridge: 'lab', port: 2, address: '02:00:00:00:00:01', vlan: 10, frames: 3, octets: 192 }
const answer = (began: number, events: readonly (readonly [number, string])[] = []): object => ({
  began,
  bridges: ['lab', 'empty'],
  ports: [port],
  links: [link],
  talkers: [talker],
  events: events.map(([number, text]) => ({ number, time: number, text })),
})

let asked: (readonly [string, RpcParams])[]
let answers: unknown[]
let told: string[]
let source: HubSource

beforeEach(() => {
  asked = []
  answers = []
  told = []
  source = new HubSource({
    title: 'hybridge',
    bridge: undefined,
    intervalSeconds: 1,
    directory: '/',
    ask: async (op, params) => {
      asked.push([op, params])
      const next = answers.shift()
      if (next instanceof Error) throw next
      return next
    },
  })
})

describe('HubSource', () => {
  it('shows bridges without ports, ports whose agent is away, tunnels and talkers', async () => {
    answers = [{ ...answer(1), ports: [port, { ...port, number: 3, name: '', up: false }] }]
    expect(await source.read()).toMatchObject({
      bridges: [
        {
          name: 'lab',
          isRemote: false,
          ports: [
            { number: 2, name: 'tunnel:ann@site', description: '', up: true, counters },
            { number: 3, name: 'ann@site', description: '', up: false },
          ],
        },
        { name: 'empty', ports: [] },
      ],
      links: [
        {
          name: 'ann@site on lab port 2',
          address: '192.0.2.1',
          state: 'connected',
          since: 7,
          roundTripMs: 12.5,
          reconnects: 1,
        },
      ],
      talkers: [talker],
    })
    expect(asked).toEqual([['watch', { seconds: 10, after: 0 }]])
  })

  it('tells each event once, those from before as well', async () => {
    answers = [
      answer(1, [
        [4, 'a'],
        [5, 'b'],
      ]),
      answer(1, [[6, 'c']]),
    ]
    await source.read()
    source.onEvent(({ text }) => told.push(text))
    await source.read()
    expect(told).toEqual(['a', 'b', 'c'])
    expect(asked.map(([, { after }]) => after)).toEqual([0, 5])
  })

  it('says that the hub is gone, and goes on with another one', async () => {
    source.onEvent(({ text }) => told.push(text))
    answers = [
      answer(1, [[9, 'a']]),
      new SystemError('ENOENT', 'cannot reach run/control.sock: ENOENT'),
      new ProtocolError('disconnected', 'run/control.sock closed the connection'),
      answer(2),
      answer(2, [[1, 'up']]),
      answer(2),
    ]
    const [before] = (await source.read()).bridges
    await expect(source.read()).rejects.toThrow('the hub has stopped (cannot reach run/control.sock: ENOENT)')
    await expect(source.read()).rejects.toThrow('the hub has stopped')
    const [after] = (await source.read()).bridges
    await source.read()
    expect(told).toEqual([
      'a',
      'the hub answers again',
      'the forwarding process was started again: counters began at 0',
      'up',
    ])
    expect(asked.map(([, params]) => params['after'])).toEqual([0, 9, 9, 9, 0, 1])
    // Not the same ports: no rates between the two.
    expect(after?.ports[0]?.id).not.toBe(before?.ports[0]?.id)
  })

  it('says what an old hub, or a wrong answer, means', async () => {
    answers = [new ProtocolError('unknown-op', 'no operation "watch"'), { began: 1 }]
    await expect(source.read()).rejects.toThrow('the hub that runs is of an older version')
    await expect(source.read()).rejects.toThrow("cannot read the hub's answer")
  })

  it('impairs, and ends that', async () => {
    await source.impair('lab', 2, 'loss=1%')
    await source.impair('lab', 2, '')
    expect(asked).toEqual([
      ['port.set', { bridge: 'lab', port: 2, settings: { impair: 'loss=1%' } }],
      ['port.set', { bridge: 'lab', port: 2, settings: { impair: 'none' } }],
    ])
  })
})
