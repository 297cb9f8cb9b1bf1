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
const reading = (began: number, events: readonly (readonly [number, string])[] = []): object => ({
  topology: '',
  began,
  bridges: ['lab', 'empty'],
  ports: [port],
  links: [link],
  talkers: [talker],
  events: events.map(([number, text]) => ({ number, time: number, text })),
})
const answer = (...of: Parameters<typeof reading>): object => ({ fabrics: [reading(...of)], away: [] })

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
    const ports = [port, { ...port, number: 3, name: '', up: false }]
    answers = [{ fabrics: [{ ...reading(1), ports }], away: [] }]
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
    expect(asked).toEqual([['watch', { seconds: 10, after: {} }]])
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
    expect(asked.map(([, { after }]) => after)).toEqual([{}, { '': 5 }])
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
    const lastEvents = [9, 9, 9, 0, 1].map((number) => ({ '': number }))
    expect(asked.map(([, params]) => params['after'])).toEqual([{}, ...lastEvents])
    // Not the same ports: no rates between the two.
    expect(after?.ports[0]?.id).not.toBe(before?.ports[0]?.id)
  })

  it('joins what several fabrics tell, and says which is away, back, another one, or stopped', async () => {
    source.onEvent(({ text }) => told.push(text))
    const two = { ...reading(5, [[3, 'in two']]), topology: 'two', bridges: ['two/lab'], ports: [] }
    const own = reading(1, [[7, 'own']])
    answers = [
      { fabrics: [own, two], away: [] },
      { fabrics: [reading(1)], away: [{ topology: 'two', reason: 'it hangs' }] },
      { fabrics: [reading(1), { ...two, events: [] }], away: [] },
      { fabrics: [reading(1), { ...two, began: 6, events: [] }], away: [] },
      {
        fabrics: [reading(1), { ...two, began: 6, events: [{ number: 1, time: 9, text: 'anew' }] }],
        away: [],
      },
      { fabrics: [reading(1)], away: [] },
    ]
    const names = async (): Promise<string[]> => (await source.read()).bridges.map(({ name }) => name)
    expect(await names()).toEqual(['lab', 'empty', 'two/lab'])
    expect(await names()).toEqual(['lab', 'empty'])
    for (let i = 0; i < 3; i++) await source.read()
    expect(told).toEqual([
      'own',
      'in two',
      'the forwarding process of two does not answer: it hangs',
      'the forwarding process of two answers again',
      'the forwarding process of two was started again: counters began at 0',
      'anew',
      'two has stopped',
    ])
    expect(asked.map(([, { after }]) => after)).toEqual([
      {},
      { '': 7, two: 3 },
      { '': 7, two: 3 },
      { '': 7, two: 3 },
      { '': 7, two: 0 },
      { '': 7, two: 1 },
    ])
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
