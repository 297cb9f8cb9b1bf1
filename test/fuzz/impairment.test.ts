/** Any text as an impairment: an error that names it, or a model that is written as text and read back the same. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ConfigError } from '#net/base/errors.ts'
import { formatImpairment, parseImpairment } from '#net/impairment/impairment-text.ts'
import type { Impairment } from '#net/impairment/impairment.ts'
import { LinkModel } from '#net/impairment/link-model.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'
import { impairmentText } from '#test/support/impairment-text.ts'

const name = fc.constantFrom(
  'delay',
  'jitter',
  'distribution',
  'loss',
  'burst',
  'duplicate',
  'corrupt',
  'reorder',
  'gap',
  'rate',
  'overhead',
  'limit',
  'seed',
  'none',
  '__proto__',
  '',
)
const value = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc
    .tuple(
      fc.oneof(fc.double(), fc.integer()),
      fc.constantFrom('ms', 's', 'us', '%', 'mbit', 'k', '', '%/1%'),
    )
    .map(([number, unit]) => `${number}${unit}`),
)
const made = fc
  .array(
    fc.tuple(name, value).map((pair) => pair.join('=')),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(','))
/** A valid text with one character changed. */
const near = fc
  .tuple(impairmentText, fc.nat(200), fc.string({ maxLength: 1 }))
  .map(([text, at, other]) => text.slice(0, at % text.length) + other + text.slice((at % text.length) + 1))

/** Undefined: refused as the operator's fault. Anything else is thrown. */
function read(text: string): Impairment | null | undefined {
  try {
    return parseImpairment(text)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return undefined
  }
}

it(
  'is refused, or is a model',
  () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), made, near, impairmentText), fc.nat(), (text, seed) => {
        const impairment = read(text)
        expect(impairment === null).toBe(text === 'none')
        if (impairment === null || impairment === undefined) return
        expect(parseImpairment(formatImpairment(impairment))).toEqual(impairment)
        const model = new LinkModel(impairment, seed, 0)
        for (let now = 0; now < 20; now++) {
          const arrivals = model.arrivals()
          expect([0, 1, 2]).toContain(arrivals)
          if (!model.schedule(60, now)) continue
          expect(model.deliverAt >= now && model.deliverAt < Infinity).toBe(true)
          expect(model.bit >= -1 && model.bit < 480).toBe(true)
        }
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)
