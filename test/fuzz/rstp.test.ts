/** Any BPDUs at any time into a bridge: nothing throws, everything settles, and at most six a second answer them. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeBpdu } from '#net/stp/bpdu.ts'
import { Rstp } from '#net/stp/rstp.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'
import { BRIDGE, PORT } from '#test/support/rstp-lab.ts'

const octet = fc.nat(255)
const bpdu = fc
  .tuple(fc.constantFrom(0, 2, 0x80), octet, fc.uint8Array({ minLength: 31, maxLength: 31 }), fc.boolean())
  .map(([type, flags, fields, isNear]) => {
    const octets = Uint8Array.from([
      ...Buffer.from('0180c2000000020000000001002742420300000200', 'hex'),
      flags,
      ...fields,
    ])
    octets[20] = type
    // Bridges that are near ours in rank, or it itself.
    if (isNear) octets.set([0x80, 0, 2, 0, 0, 0, 0, (fields[7] ?? 0) & 3], 22)
    if (isNear) octets.set([0x80, 0, 2, 0, 0, 0, 0, (fields[8] ?? 0) & 3, 0x80, (fields[9] ?? 0) & 3], 34)
    return octets
  })

const event = fc.record({
  port: fc.integer({ min: 1, max: 3 }),
  what: fc.oneof({ weight: 5, arbitrary: bpdu }, fc.boolean(), fc.constant(null)),
  afterMs: fc.constantFrom(0, 0, 1, 50, 1000, 2000, 7000, 40_000),
})

it(
  'a bridge takes any BPDUs',
  () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const rstp = new Rstp(0x0200_0000_0001n, BRIDGE)
        for (const n of [1, 2, 3]) {
          rstp.addPort(n, { ...PORT, edge: 'auto', pointToPoint: n !== 3 }, 0)
          rstp.setLink(n, true, 0)
        }
        let now = 0
        const sent: number[] = []
        for (const { port, what, afterMs } of events) {
          const until = now + afterMs
          while (rstp.nextDeadline <= until) {
            now = rstp.nextDeadline
            const actions = rstp.tick(now)
            sent.push(...actions.filter((a) => a.kind === 'send' && a.port === 1).map(() => now))
          }
          now = until
          const message = what instanceof Uint8Array ? decodeBpdu(what, 0, what.length) : null
          const actions =
            typeof what === 'boolean'
              ? rstp.setLink(port, what, now)
              : message === null
                ? rstp.checkMigration(port, now)
                : rstp.receive(port, message, now)
          sent.push(...actions.filter((a) => a.kind === 'send' && a.port === 1).map(() => now))
          expect(rstp.isSettled).toBe(true)
          expect(rstp.nextDeadline).toBeGreaterThan(now)
        }
        for (const [i, at] of sent.entries())
          expect((sent[i + 12] ?? Infinity) - at).toBeGreaterThanOrEqual(1000)
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)
