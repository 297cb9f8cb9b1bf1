import { describe, expect, it } from 'vitest'
import { BlackHole, type StallReading } from '#net/tunnel/black-hole.ts'

const LOOK_MS = 300
const IDLE: StallReading = {
  unacked: 0,
  retransmits: 0,
  ackedOctets: 5000,
  receivedOctets: 5000,
  outOfOrder: 0,
  lastAckMs: 0,
}

/** When it is found, ms after the first reading; undefined: not within 20 s. */
function found(reading: (ms: number) => Partial<StallReading>): number | undefined {
  const hole = new BlackHole()
  hole.read(IDLE, 0)
  for (let ms = LOOK_MS; ms <= 20_000; ms += LOOK_MS)
    if (hole.read({ ...IDLE, ...reading(ms) }, ms)) return ms
  return undefined
}
/** As TCP sends again: after 0.2, 0.6, 1.4, 3 s ... */
const retransmits = (ms: number): number => Math.floor(Math.log2(ms / 200 + 1))
/** Since the last of the hub's PINGs. */
const lastAckMs = (ms: number): number => ms % 2000

describe('BlackHole', () => {
  it('is found when a segment does not arrive and what the hub sends does', () => {
    const at = found((ms) => ({
      unacked: 3,
      retransmits: retransmits(ms),
      lastAckMs: lastAckMs(ms),
      receivedOctets: 5000 + Math.floor(ms / 2000),
    }))
    expect(at).toBeGreaterThan(1500)
    expect(at).toBeLessThan(4500) // before the hub misses us
  })

  it('is found when the hub sends something that does not arrive', () => {
    const at = found((ms) => ({ outOfOrder: 1, lastAckMs: lastAckMs(ms) }))
    expect(at).toBeGreaterThan(2500)
    expect(at).toBeLessThan(5500) // before we miss the hub
  })

  it('is found when the key exchange stands, behind a greeting that passed', () => {
    expect(
      found((ms) => ({
        unacked: 1,
        retransmits: retransmits(ms),
        ackedOctets: 23,
        receivedOctets: 18,
        lastAckMs: ms,
      })),
    ).toBeLessThan(4000)
  })

  it('is not found where nothing comes back at all', () => {
    expect(found((ms) => ({ unacked: 3, retransmits: retransmits(ms), lastAckMs: ms }))).toBeUndefined()
  })

  it('is not found in losses that TCP mends, nor in silence', () => {
    expect(
      found((ms) => ({
        unacked: 50,
        retransmits: ms % 4,
        ackedOctets: 5000 + ms,
        outOfOrder: ms,
        receivedOctets: 5000 + ms,
      })),
    ).toBeUndefined()
    expect(found((ms) => ({ lastAckMs: ms }))).toBeUndefined()
    // Nobody types the password yet; there were losses before.
    expect(found((ms) => ({ outOfOrder: 3, lastAckMs: ms }))).toBeUndefined()
  })
})
