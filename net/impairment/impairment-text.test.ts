import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatImpairment, parseImpairment } from '#net/impairment/impairment-text.ts'
import { impairmentText } from '#test/support/impairment-text.ts'

describe('parseImpairment', () => {
  it.each([
    ['delay=50ms', { delayMs: 50 }],
    ['delay=0.5s,jitter=200us,distribution=normal', { delayMs: 500, jitterMs: 0.2, distribution: 'normal' }],
    ['loss=100%', { loss: 100 }],
    ['loss=1%+delay=5ms', { loss: 1, delayMs: 5 }],
    ['burst=1%/25%', { burst: { toBad: 1, toGood: 25, lossInBad: 100, lossInGood: 0 } }],
    ['burst=1%/25%/80%/0.5%', { burst: { toBad: 1, toGood: 25, lossInBad: 80, lossInGood: 0.5 } }],
    ['duplicate=0.1%,corrupt=0.01%', { duplicate: 0.1, corrupt: 0.01 }],
    ['delay=10ms,reorder=25%,gap=5', { delayMs: 10, reorder: 25, gap: 5 }],
    ['jitter=1ms,reorder=jitter', { jitterMs: 1, reorder: 'jitter' }],
    ['rate=1.5mbit,limit=64k,overhead=24', { rate: 1_500_000, limit: { octets: 65_536 }, overhead: 24 }],
    ['rate=10MBIT,limit=100ms', { rate: 10_000_000, limit: { ms: 100 } }],
    ['loss=1%,seed=4294967295', { loss: 1, seed: 4_294_967_295 }],
  ])('reads %s', (text, wanted) => {
    expect(parseImpairment(text)).toMatchObject(wanted)
  })

  it('takes none for no impairment', () => {
    expect(parseImpairment('none')).toBeNull()
  })

  it.each([
    ['', '"" is no impairment: it takes none alone, or delay, jitter, '],
    ['delay', '"delay" is no impairment'],
    ['toString=1', '"toString=1" is no impairment'],
    ['delay=50', 'impairment delay=50 is not valid: it takes a time like 50ms, 0.5s or 200us, 60s at most'],
    ['delay=-1ms', 'delay=-1ms is not valid'],
    ['delay=60001ms', 'delay=60001ms is not valid'],
    ['delay=1ms,delay=2ms', 'impairment delay is given twice'],
    ['loss=1', 'impairment loss=1 is not valid: it takes a share like 1% or 0.01%'],
    ['loss=100.1%', 'loss=100.1% is not valid'],
    ['loss=1e1%', 'loss=1e1% is not valid'],
    ['burst=1%', 'burst=1% is not valid'],
    ['burst=1%/2%/3%/4%/5%', 'is not valid'],
    ['rate=10', 'rate=10 is not valid'],
    ['rate=999bit', 'rate=999bit is not valid'],
    ['rate=10mbit,limit=64q', 'limit=64q is not valid'],
    ['loss=1%,seed=4294967296', 'seed=4294967296 is not valid: it takes a number from 0 to 4294967295'],
    ['limit=100ms', 'impairment limit is of no use without rate'],
    ['distribution=normal', 'impairment distribution is of no use without jitter'],
    ['reorder=1%', 'of no use without delay'],
    ['reorder=jitter,delay=1ms', 'of no use without jitter'],
    ['delay=1ms,gap=3', 'impairment gap is of no use without reorder'],
    ['loss=1%,burst=1%/20%', 'exclude each other'],
  ])('refuses "%s"', (text, why) => {
    expect(() => parseImpairment(text)).toThrow(why)
  })
})

describe('formatImpairment', () => {
  it('gives text that is read back as the same', () => {
    fc.assert(
      fc.property(impairmentText, (text) => {
        const impairment = parseImpairment(text)
        if (impairment === null) throw new Error('no impairment')
        expect(parseImpairment(formatImpairment(impairment))).toEqual(impairment)
      }),
    )
  })

  it('leaves out what is as usual', () => {
    expect(formatted('seed=7,rate=1000000bit,delay=0.05s,gap=1,reorder=2%,burst=1%/20%/100%')).toBe(
      'delay=50ms,burst=1%/20%,reorder=2%,rate=1mbit,seed=7',
    )
    expect(formatted('loss=0%')).toBe('delay=0ms')
  })
})

function formatted(text: string): string {
  const impairment = parseImpairment(text)
  return impairment === null ? 'none' : formatImpairment(impairment)
}
