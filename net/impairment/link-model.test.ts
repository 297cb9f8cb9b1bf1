/** Statistics in virtual time: bounds are five standard deviations of what the theory says, seeds are fixed. */
import { describe, expect, it } from 'vitest'
import { parseImpairment } from '#net/impairment/impairment-text.ts'
import { LinkModel } from '#net/impairment/link-model.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const OCTETS = 1000

interface Arrival {
  readonly frame: number
  readonly sent: number
  readonly at: number
  readonly bit: number
}

function makeModel(text: string, seed = 1, stream = 0): LinkModel {
  const impairment = parseImpairment(text)
  if (impairment === null) throw new Error('no impairment')
  return new LinkModel(impairment, seed, stream)
}

/** Offers frames at even intervals. @returns what arrives, in the order in which it was scheduled */
function offer(model: LinkModel, frames: number, everyMs: number, octets = OCTETS): Arrival[] {
  const arrivals: Arrival[] = []
  for (let frame = 0; frame < frames; frame++) {
    const sent = frame * everyMs
    const count = model.arrivals()
    for (let i = 0; i < count; i++)
      if (model.schedule(octets, sent)) arrivals.push({ frame, sent, at: model.deliverAt, bit: model.bit })
  }
  return arrivals
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
const deviation = (values: readonly number[]): number => {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
}

/** A count of `n` trials of probability `p`. */
function expectShare(count: number, n: number, p: number): void {
  expect(Math.abs(count - n * p)).toBeLessThanOrEqual(5 * Math.sqrt(n * p * (1 - p)))
}

/** Time in the bad state of a chain of two states, whose steps are correlated by 1 - p - r. */
function expectBadShare(count: number, n: number, p: number, r: number): void {
  const share = p / (p + r)
  const variance = (share * (1 - share) * (2 - p - r)) / (p + r) / n
  expect(Math.abs(count / n - share)).toBeLessThan(5 * Math.sqrt(variance))
}

/** Greatest distance from a distribution (Kolmogorov and Smirnov); 1.95 / sqrt(n) is passed by one run in 1000. */
function expectDistribution(values: readonly number[], distribution: (x: number) => number): void {
  const sorted = [...values].sort((a, b) => a - b)
  const n = sorted.length
  const distance = Math.max(
    ...sorted.map((x, i) =>
      Math.max(Math.abs(distribution(x) - i / n), Math.abs(distribution(x) - (i + 1) / n)),
    ),
  )
  expect(distance).toBeLessThan(1.95 / Math.sqrt(n))
}

/** Of the standard normal distribution (Abramowitz and Stegun 26.2.17, to 7.5e-8). */
function normalDistribution(x: number): number {
  const t = 1 / (1 + 0.231_641_9 * Math.abs(x))
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const tail = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series
  return x > 0 ? 1 - tail : tail
}

describe('loss', () => {
  it.each([
    ['0%', 0],
    ['0.1%', 0.001],
    ['1%', 0.01],
    ['50%', 0.5],
    ['100%', 1],
  ])('of %s is met', (text, p) => {
    const frames = 200_000
    expectShare(frames - offer(makeModel(`loss=${text}`), frames, 1).length, frames, p)
  })

  it('in bursts has the length and the share of Gilbert and Elliott', () => {
    const frames = 400_000
    const [toBad, toGood] = [0.01, 0.2]
    const arrived = new Set(offer(makeModel('burst=1%/20%'), frames, 1).map(({ frame }) => frame))
    const bursts: number[] = []
    for (let frame = 0; frame < frames; frame++) {
      if (arrived.has(frame)) continue
      if (frame > 0 && !arrived.has(frame - 1)) bursts.push((bursts.pop() ?? 0) + 1)
      else bursts.push(1)
    }
    // Lengths are geometric: mean 1/r, deviation sqrt(1 - r)/r. A cycle has the mean 1/p + 1/r.
    const cycles = frames / (1 / toBad + 1 / toGood)
    expect(Math.abs(mean(bursts) - 1 / toGood)).toBeLessThan(
      (5 * Math.sqrt(1 - toGood)) / toGood / Math.sqrt(cycles),
    )
    expectBadShare(frames - arrived.size, frames, toBad, toGood)
  })

  it('in bursts has the shares of each state', () => {
    const frames = 400_000
    // In the bad state a third of the time.
    const lost = frames - offer(makeModel('burst=10%/20%/60%/3%'), frames, 1).length
    // 60 % of it and 3 % of the rest are lost: a count that varies less than that of the states.
    expectBadShare((lost - 0.03 * frames) / 0.57, frames, 0.1, 0.2)
  })
})

describe('delay', () => {
  it('is exact without jitter', () => {
    for (const { sent, at } of offer(makeModel('delay=12.5ms'), 1000, 1)) expect(at).toBe(sent + 12.5)
  })

  it('is spread evenly around its mean', () => {
    const delays = offer(makeModel('delay=50ms,jitter=10ms'), 50_000, 25).map(({ sent, at }) => at - sent)
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(40)
    expect(Math.max(...delays)).toBeLessThanOrEqual(60)
    expectDistribution(delays, (x) => (x - 40) / 20)
  })

  it('is spread normally around its mean', () => {
    const model = makeModel('delay=50ms,jitter=5ms,distribution=normal')
    const delays = offer(model, 50_000, 100).map(({ sent, at }) => at - sent)
    expect(Math.abs(mean(delays) - 50)).toBeLessThan((5 * 5) / Math.sqrt(delays.length))
    expect(Math.abs(deviation(delays) - 5)).toBeLessThan((5 * 5) / Math.sqrt(2 * delays.length))
    expectDistribution(delays, (x) => normalDistribution((x - 50) / 5))
  })

  it('is never less than none', () => {
    const delays = offer(makeModel('delay=1ms,jitter=5ms'), 10_000, 20).map(({ sent, at }) => at - sent)
    expect(Math.min(...delays)).toBe(0)
  })

  it('keeps frames in order, however close they are', () => {
    const times = offer(makeModel('delay=50ms,jitter=20ms'), 20_000, 0.1).map(({ at }) => at)
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  it('lets frames overtake each other when that is asked for', () => {
    const arrivals = offer(makeModel('delay=50ms,jitter=20ms,reorder=jitter'), 20_000, 1)
    const late = arrivals.filter(({ at }, i) => at < (arrivals[i - 1]?.at ?? 0))
    expect(late.length).toBeGreaterThan(5000)
    expectDistribution(
      arrivals.map(({ sent, at }) => at - sent),
      (x) => (x - 30) / 40,
    )
  })
})

describe('reordering', () => {
  it('sends a share of the frames at once', () => {
    const arrivals = offer(makeModel('delay=50ms,reorder=5%'), 100_000, 1)
    const ahead = arrivals.filter(({ sent, at }) => at === sent)
    expectShare(ahead.length, arrivals.length, 0.05)
    expect(arrivals.every(({ sent, at }) => at === sent || at === sent + 50)).toBe(true)
  })

  it('keeps the gap', () => {
    const arrivals = offer(makeModel('delay=50ms,reorder=100%,gap=5'), 1000, 1)
    const ahead = arrivals.filter(({ sent, at }) => at === sent).map(({ frame }) => frame)
    expect(ahead).toEqual(Array.from({ length: 200 }, (_, i) => 5 * i + 4))
  })
})

describe('duplication and corruption', () => {
  it('duplicate a share of the frames', () => {
    const frames = 100_000
    const arrivals = offer(makeModel('duplicate=2%'), frames, 1)
    expectShare(arrivals.length - frames, frames, 0.02)
    expect(new Set(arrivals.map(({ frame }) => frame)).size).toBe(frames)
  })

  it('turn one bit of a share of the frames, any bit as often', () => {
    const frames = 200_000
    const bits = offer(makeModel('corrupt=10%'), frames, 1, 60).flatMap(({ bit }) => (bit < 0 ? [] : [bit]))
    expectShare(bits.length, frames, 0.1)
    expect([Math.min(...bits), Math.max(...bits)]).toEqual([0, 479])
    for (let octet = 0; octet < 60; octet++)
      expectShare(bits.filter((bit) => bit >> 3 === octet).length, bits.length, 1 / 60)
  })
})

describe('rate', () => {
  it('is kept to the frame over a second', () => {
    // 10 Mbit/s are 1250 frames of 1000 octets a second; 2000 are offered.
    const arrivals = offer(makeModel('rate=10mbit,limit=1m'), 2000, 0.5)
    expect(arrivals.filter(({ at }) => at <= 1000 + 1e-6).length).toBe(1250)
    arrivals.forEach(({ at }, i) => expect(at).toBeCloseTo(0.8 * (i + 1), 6))
  })

  it('counts the overhead of each frame', () => {
    const arrivals = offer(makeModel('rate=8mbit,overhead=24'), 10, 100)
    for (const { sent, at } of arrivals) expect(at - sent).toBeCloseTo(1.024, 9)
  })

  it('has a queue of so many octets', () => {
    const model = makeModel('rate=8mbit,limit=5000')
    expect(offer(model, 100, 0).length).toBe(5)
    // One millisecond later, the first has left.
    expect([model.schedule(OCTETS, 1), model.schedule(OCTETS, 1)]).toEqual([true, false])
  })

  it('has a queue of so much time', () => {
    const arrivals = offer(makeModel('rate=8mbit,limit=20ms'), 100, 0)
    expect(arrivals.length).toBe(20)
    expect(Math.max(...arrivals.map(({ at }) => at))).toBeCloseTo(20, 6)
  })

  it('has a queue of 100 ms, and 16384 octets at least', () => {
    expect(offer(makeModel('rate=80mbit'), 2000, 0).length).toBe(1000)
    expect(offer(makeModel('rate=64kbit'), 100, 0).length).toBe(16)
  })

  it('takes a frame when none waits, however small the limit is', () => {
    expect(offer(makeModel('rate=8mbit,limit=1'), 5, 2).length).toBe(5)
  })

  it('comes before the delay', () => {
    const [first, second] = offer(makeModel('rate=8mbit,delay=10ms'), 2, 0)
    expect([first?.at, second?.at]).toEqual([11, 12])
  })
})

const ALL =
  'delay=5ms,jitter=2ms,distribution=normal,loss=5%,duplicate=5%,corrupt=5%,reorder=5%,rate=1gbit,seed=7'

const run = (seed: number, stream: number): Arrival[] => offer(makeModel(ALL, seed, stream), 1000, 20)

describe('a seed', () => {
  it('repeats a run, and no other does', () => {
    expect(run(7, 0)).toEqual(run(7, 0))
    expect(run(7, 1)).not.toEqual(run(7, 0))
    expect(run(8, 0)).not.toEqual(run(7, 0))
  })

  it('repeats what does not depend on time, whenever the frames come', () => {
    const text = 'loss=10%,duplicate=10%,corrupt=10%,delay=5ms,jitter=1ms,rate=1mbit,limit=1g'
    const chosen = (everyMs: number): unknown[] =>
      offer(makeModel(text, 3), 2000, everyMs).map(({ frame, bit }) => [frame, bit])
    expect(chosen(0.1)).toEqual(chosen(50))
  })
})

it('allocates nothing for a frame', () => {
  const model = makeModel(ALL)
  let now = 0
  const step = (): void => {
    now += 1
    for (let i = model.arrivals(); i > 0; i--) model.schedule(OCTETS, now)
  }
  expect(bytesPerCall(step)).toBeLessThan(8)
})
