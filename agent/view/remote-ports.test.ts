import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Answer } from '#agent/login/ask.ts'
import { parseRemotePorts, RemotePorts } from '#agent/view/remote-ports.ts'

const counters = { inFrames: 1, inOctets: 64, outFrames: 0, outOctets: 0, inDrops: { vlan: 2 }, outDrops: {} }
const port = { number: 2, name: 'tunnel:ann@site', description: 'ann@site', up: true, counters }

describe('the hub’s answer', () => {
  it('becomes ports of the view', () => {
    const text = JSON.stringify([
      { ...port, bridge: 'lab', more: 'that is not known' },
      { ...port, number: 3, name: '', up: false },
    ])
    expect(parseRemotePorts(text, 'lab')).toEqual({
      name: 'lab',
      isRemote: true,
      ports: [
        { id: '2 ann@site', number: 2, name: 'tunnel:ann@site', description: '', up: true, counters },
        { id: '3 ann@site', number: 3, name: 'ann@site', description: '', up: false, counters },
      ],
    })
  })

  it.each([
    '',
    '{}',
    'null',
    JSON.stringify([{ ...port, number: -1 }]),
    JSON.stringify([{ ...port, name: 'x'.repeat(9999) }]),
    JSON.stringify([{ ...port, counters: { ...counters, inFrames: '1' } }]),
    JSON.stringify(Array.from({ length: 1025 }, () => port)),
  ])('may be anything: %#', (text) => {
    expect(parseRemotePorts(text, 'lab')).toBeUndefined()
  })

  it('never throws', () => {
    const ports = fc.array(fc.anything().map((field) => ({ ...port, counters: field })))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          ports.map((all) => JSON.stringify(all) ?? ''),
        ),
        (text) => {
          const read = parseRemotePorts(text, 'lab')
          expect(read?.name ?? 'lab').toBe('lab')
        },
      ),
    )
  })
})

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('RemotePorts', () => {
  const text = JSON.stringify([port])
  let asked: string[]
  let answers: (Answer | undefined)[]
  const make = (...bridges: string[]): RemotePorts<string> => {
    asked = []
    const remotes = bridges.map((bridge) => ({ bridge }))
    return new RemotePorts(remotes, async (hub, command) => {
      asked.push(`${hub}: ${command}`)
      return answers.shift()
    })
  }

  it('are asked for when they are looked at, every two seconds, once at a time', async () => {
    const remote = make('a', 'b')
    answers = [
      { stdout: text, status: 0 },
      { stdout: 'nonsense', status: 0 },
    ]
    expect(remote.read(undefined, 0)).toEqual([])
    expect(remote.read('one', 0)).toEqual([])
    expect(remote.read('one', 1)).toEqual([])
    await settle()
    expect(remote.read('one', 1999)).toMatchObject([{ name: 'a', ports: [{ number: 2 }] }])
    expect(asked).toEqual(['one: hybridge ports a --json', 'one: hybridge ports b --json'])
    // An answer that does not come in time shows nothing, and the question is put again.
    answers = []
    remote.read('one', 5000)
    await settle()
    expect(remote.read('one', 5001)).toEqual([])
    remote.read('one', 60_000)
    expect(asked).toHaveLength(5)
  })

  it('are not asked for again on a connection where the hub refuses', async () => {
    const remote = make('a')
    answers = [
      { stdout: '', status: 1 },
      { stdout: text, status: 0 },
    ]
    remote.read('one', 0)
    await settle()
    expect(remote.read('one', 60_000)).toEqual([])
    expect(asked).toHaveLength(1)
    remote.read('two', 60_001)
    await settle()
    expect(remote.read('two', 60_002)).toHaveLength(1)
    // Without a connection there is nothing to show.
    expect(remote.read(undefined, 60_003)).toEqual([])
    expect(asked).toEqual(['one: hybridge ports a --json', 'two: hybridge ports a --json'])
  })

  it('are asked for at once on the next connection, though the last one went without an answer', async () => {
    let lose: (() => void) | undefined
    const lost = new Promise<undefined>((resolve) => {
      lose = () => resolve(undefined)
    })
    asked = []
    const remote = new RemotePorts<string>([{ bridge: 'a', fullName: 'two/a' }], (hub, command) => {
      asked.push(command)
      return hub === 'one' ? lost : Promise.resolve({ stdout: text, status: 0 })
    })
    remote.read('one', 0)
    remote.read(undefined, 100)
    remote.read('two', 200)
    await settle()
    expect(remote.read('two', 201)).toMatchObject([{ name: 'a' }])
    expect(asked).toEqual(['hybridge ports two/a --json', 'hybridge ports two/a --json'])
    lose?.()
    await settle()
    expect(remote.read('two', 202)).toHaveLength(1)
  })
})
