import { describe, expect, it } from 'vitest'
import { Debounce } from '#agent/link/debounce.ts'

/** Lets events come at these times and acts when it is due. @returns when it acted */
function run(events: readonly number[]): number[] {
  const debounce = new Debounce()
  const acted: number[] = []
  const left = [...events]
  for (;;) {
    const [next = Infinity] = left
    if (next === Infinity && debounce.deadline === Infinity) return acted
    if (debounce.deadline <= next) {
      const { deadline } = debounce
      if (debounce.handleTimeout(deadline - 0.5)) acted.push(deadline - 0.5) // too early
      if (debounce.handleTimeout(deadline)) acted.push(deadline)
    } else debounce.event(left.shift() ?? 0)
  }
}

describe('Debounce', () => {
  it('acts once for events that come together, soon after the last', () => {
    expect(run([0, 50, 150])).toEqual([350])
  })

  it('does not wait for events to end that go on and on, and acts once a second', () => {
    const storm = Array.from({ length: 50 }, (_, i) => i * 100)
    expect(run(storm)).toEqual([1000, 2000, 3000, 4000, 5000])
  })

  it('acts again soon after a quiet time', () => {
    expect(run([0, 5000, 5300])).toEqual([200, 5200, 6200])
  })
})
