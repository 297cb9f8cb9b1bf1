import { describe, expect, it } from 'vitest'
import { RstpLab } from '#test/support/rstp-lab.ts'

const ring = (n: number): RstpLab => {
  const lab = new RstpLab(Array.from({ length: n }, () => 32768))
  for (let i = 0; i < n; i++)
    lab.join([
      [i, 1],
      [(i + 1) % n, 2],
    ])
  return lab
}
describe('x', () => {
  it.each([3, 4, 5, 8, 16])('ring %i', (n) => {
    const lab = ring(n)
    lab.run(60_000)
    console.log(n, lab.settledAfter(0), lab.sent.length, lab.faults())
    for (let cut = 0; cut < n; cut++) {
      const t = lab.now
      lab.setSegment(cut, false)
      lab.run(60000)
      console.log('cut', cut, lab.settledAfter(t), lab.faults())
      const u = lab.now
      lab.setSegment(cut, true)
      lab.run(60000)
      console.log('back', cut, lab.settledAfter(u), lab.faults())
    }
    expect(lab.faults()).toEqual([])
  })
})
