import { describe, expect, it } from 'vitest'
import { glyphsOf } from '#net/view/glyphs.ts'
import { drawGraph, scaleTop } from '#net/view/graph.ts'
import { HISTORY_SECONDS, RateHistory } from '#net/view/history.ts'

describe('a graph', () => {
  it('has a scale of 1, 2 and 5', () => {
    expect([0, 0.3, 1, 1.1, 3, 7, 100, 101].map(scaleTop)).toEqual([0, 0.5, 1, 2, 5, 10, 100, 200])
  })

  it('stands on its last row, and shows what is small', () => {
    const utf8 = glyphsOf(true)
    expect(drawGraph([0, 1, 8, 16], 16, 1, utf8)).toEqual([' ▁▄█'])
    expect(drawGraph([0, 1, 8, 16], 16, 2, utf8)).toEqual(['   █', ' ▁██'])
    expect(drawGraph([0, 1, 16], 16, 1, glyphsOf(false))).toEqual([' .#'])
  })

  it('without values is empty', () => {
    expect(drawGraph([0, 0], 0, 2, glyphsOf(true))).toEqual(['  ', '  '])
  })
})

describe('RateHistory', () => {
  it('keeps a value a second, the last one at the right', () => {
    const history = new RateHistory()
    history.push(1, 10, 1)
    history.push(2, 20, 3)
    expect(history.columns('in', HISTORY_SECONDS).slice(-5)).toEqual([0, 1, 2, 2, 2])
    expect(history.columns('out', HISTORY_SECONDS).slice(-2)).toEqual([20, 20])
  })

  it('forgets what is older than it shows', () => {
    const history = new RateHistory()
    history.push(9, 0, 1)
    for (let i = 0; i < HISTORY_SECONDS; i++) history.push(1, 0, 1)
    expect(new Set(history.columns('in', HISTORY_SECONDS))).toEqual(new Set([1]))
  })

  it('shows the peak of each stretch, which stays the same while it moves', () => {
    const history = new RateHistory()
    for (const value of [1, 7, 2, 3, 4, 5]) history.push(value, 0, 1)
    // 100 columns: 3 s each.
    expect(history.columns('in', 100).slice(-3)).toEqual([0, 7, 5])
    history.push(6, 0, 1)
    expect(history.columns('in', 100).slice(-3)).toEqual([7, 5, 6])
  })

  it('has any number of columns', () => {
    const history = new RateHistory()
    history.push(1, 1, 1)
    for (const width of [0, 1, 7, 299, 1000]) expect(history.columns('in', width).length).toBe(width)
  })
})
