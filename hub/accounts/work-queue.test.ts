import { describe, expect, it } from 'vitest'
import { WorkQueue } from '#hub/accounts/work-queue.ts'

describe('WorkQueue', () => {
  it('runs so many at once, the others in their order, and says when it is full', async () => {
    const queue = new WorkQueue(2, 2)
    const finish: (() => void)[] = []
    const started: number[] = []
    const work = [0, 1, 2, 3].map((i) =>
      queue.run(() => {
        started.push(i)
        return new Promise<number>((resolve) => finish.push(() => resolve(i)))
      }),
    )
    expect(started).toEqual([0, 1])
    expect(queue.isFull).toBe(true)
    for (let i = 0; i < 4; i++) {
      finish[i]?.()
      expect(await work[i]).toBe(i)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(started).toEqual([0, 1, 2, 3])
    expect(queue.isFull).toBe(false)
  })

  it('goes on after work that fails', async () => {
    const queue = new WorkQueue(1, 1)
    const bad = queue.run(() => Promise.reject(new Error('no')))
    const good = queue.run(() => Promise.resolve('yes'))
    await expect(bad).rejects.toThrow('no')
    expect(await good).toBe('yes')
  })
})
