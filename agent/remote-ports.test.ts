import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRemotePorts } from '#agent/remote-ports.ts'

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
    JSON.stringify(Array(1025).fill(port)),
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
