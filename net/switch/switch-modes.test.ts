import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BROADCAST, frameOf, host, SwitchLab } from '#test/support/switch-lab.ts'

describe('a mixed switch', () => {
  const MODES = [
    'mode=transparent',
    'mode=access,vlan=10',
    'mode=access,vlan=0',
    'mode=access,vlan=100',
    'mode=trunk,native=10',
    'mode=trunk,tagged=10+100',
    'mode=tunnel,qnq=100,tagged=10',
    'mode=tunnel,qnq=100,strict=1',
  ]
  const TAGS = [
    '',
    '8100.0p5',
    '8100.10',
    '8100.10p3',
    '8100.100',
    '8100.100 8100.10',
    '8100.7',
    '88a8.9 8100.10',
  ]

  it('each port of a flood gets its own form, in batches of any frames, and the order is kept', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...MODES), { minLength: 2, maxLength: 6 }),
        fc.array(fc.tuple(fc.constantFrom(...TAGS), fc.nat(5)), { minLength: 1, maxLength: 12 }),
        (modes, frames) => {
          const lab = new SwitchLab(modes)
          lab.port(1).injectBatch(frames.map(([tags, from]) => frameOf(BROADCAST, host(from), tags)))
          lab.take().forEach((sent, i) => {
            // Alone, one frame at a time, between these two ports.
            const expected = frames.flatMap(([tags, from]) => {
              const pair = new SwitchLab([modes[0] ?? '', modes[i] ?? ''])
              pair.port(1).inject(frameOf(BROADCAST, host(from), tags))
              return i === 0 ? [] : pair.port(2).take()
            })
            expect(sent).toEqual(expected)
          })
        },
      ),
      { numRuns: 200 },
    )
  })

  it('a flood through transparent, access, trunk and tunnel ports', () => {
    const lab = new SwitchLab([
      'mode=access,vlan=100',
      'mode=transparent',
      'mode=access,vlan=100',
      'mode=trunk',
      'mode=tunnel,qnq=100',
      'mode=tunnel,qnq=100,tpid=88a8',
      'mode=access,vlan=10',
    ])
    const flood = (n: number, tags: string): (string | null)[] =>
      lab.tagsAfter(n, frameOf(BROADCAST, host(n), tags))
    expect(flood(1, '8100.0p5')).toEqual([null, '8100.100p5', '', '8100.100p5', '', null, null])
    expect(flood(2, '8100.100 8100.7')).toEqual([
      '8100.7',
      null,
      '8100.7',
      '8100.100 8100.7',
      '8100.7',
      null,
      null,
    ])
    expect(flood(5, '8100.7p2')).toEqual([
      '8100.7p2',
      '8100.100p2 8100.7p2',
      '8100.7p2',
      '8100.100p2 8100.7p2',
      null,
      null,
      null,
    ])
    expect(flood(6, '8100.7p2')).toEqual([null, '88a8.100p2 8100.7p2', null, null, null, null, null])
  })

  it('sends what is queued when the room for copies is used up, in the middle of a batch', () => {
    const lab = new SwitchLab([
      'mode=access,vlan=10',
      'mode=access,vlan=10',
      'mode=trunk',
      'mode=trunk,native=10',
    ])
    const frames = Array.from({ length: 400 }, (_, n) => frameOf(BROADCAST, host(n), '8100.0p1', body(n)))
    lab.port(1).injectBatch(frames)
    const [, access, trunk, native] = lab.take()
    for (let n = 0; n < 400; n++) {
      const untagged = frameOf(BROADCAST, host(n), '', body(n))
      expect(isEqual(access?.[n], untagged) && isEqual(native?.[n], untagged)).toBe(true)
      expect(isEqual(trunk?.[n], frameOf(BROADCAST, host(n), '8100.10p1', body(n)))).toBe(true)
    }
    expect(lab.port(2).flushes).toBeGreaterThan(3)
    lab.bridge.close()
  })
})

/** A body that tells frames apart. */
const body = (n: number): Uint8Array => Uint8Array.from({ length: 9000 }, (_, i) => (i * 7 + n) & 255)
/** Much faster than a deep comparison. */
const isEqual = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.compare(a, b) === 0
