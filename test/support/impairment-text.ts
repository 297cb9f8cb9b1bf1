/** Texts of impairments that are valid, for properties. */
import * as fc from 'fast-check'

const number = (most: number): fc.Arbitrary<string> =>
  fc.tuple(fc.nat(most - 1), fc.nat(999)).map(([whole, part]) => `${whole}.${part}`)
const time = fc.oneof(
  number(60_000).map((ms) => `${ms}ms`),
  number(60).map((s) => `${s}s`),
  number(60_000).map((us) => `${us}us`),
)
const share = number(100).map((value) => `${value}%`)
const choice = (name: string, value: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
  fc.oneof(
    fc.constant<string[]>([]),
    value.map((text) => [`${name}=${text}`]),
  )

const delay = fc.oneof(
  fc.constant(''),
  time.map((ms) => `delay=${ms}`),
)
const isSome = (text: string): boolean => Number.parseFloat(text) > 0
const jitter = fc
  .tuple(time.filter(isSome), fc.constantFrom('', ',distribution=uniform', ',distribution=normal'))
  .map(([ms, distribution]) => `jitter=${ms}${distribution}`)
const reorder = fc
  .tuple(share.filter(isSome), fc.integer({ min: 1, max: 1000 }))
  .map(([percent, gap]) => `delay=7ms,reorder=${percent},gap=${gap}`)
const times = fc.oneof(
  delay,
  jitter,
  fc.tuple(delay, jitter).map((two) => two.filter((text) => text !== '').join(',')),
  reorder,
  jitter.map((text) => `${text},reorder=jitter`),
)
const loss = fc.oneof(
  fc.constant([]),
  share.map((text) => [`loss=${text}`]),
  fc.array(share, { minLength: 2, maxLength: 4 }).map((shares) => [`burst=${shares.join('/')}`]),
)
const rate = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: 1000, max: 2_000_000_000 }).map((bits) => `${bits}bit`),
      fc.integer({ min: 1, max: 100 }).map((gbit) => `${gbit}gbit`),
      number(1000).map((mbit) => `1${mbit}mbit`),
    ),
    choice('limit', fc.oneof(time, fc.constantFrom('64k', '1500', '1m', '0.5g'))),
    choice(
      'overhead',
      fc.nat(256).map((octets) => String(octets)),
    ),
  )
  .map(([bits, ...more]) => [`rate=${bits}`, ...more.flat()])
const rates = fc.oneof(fc.constant([]), rate)

/** `delay=50ms,loss=1%`, never `none`. */
export const impairmentText: fc.Arbitrary<string> = fc
  .tuple(
    times.map((text) => (text === '' ? [] : [text])),
    loss,
    choice('duplicate', share),
    choice('corrupt', share),
    rates,
    choice(
      'seed',
      fc.nat(0xffff_ffff).map((seed) => String(seed)),
    ),
  )
  .map((parts) => parts.flat())
  .filter((parts) => parts.length > 0)
  .map((parts) => parts.join(','))
