import { expect, it } from 'vitest'
import { Slots } from '#hub/supervisor/slots.ts'

it('runs so many things at a time, in their order, and goes on after a failure', async () => {
  const slots = new Slots()
  const log: string[] = []
  const ends: (() => void)[] = []
  const work = (name: string) => async (): Promise<void> => {
    log.push(name)
    await new Promise<void>((resolve) => ends.push(resolve))
  }
  const all = ['a', 'b', 'c'].map((name) => slots.run(work(name)))
  const failing = slots.run(() => Promise.reject(new Error('no')))
  const last = slots.run(work('d'))
  await Promise.resolve()
  expect(log).toEqual([])
  slots.add(2)
  await Promise.resolve()
  expect(log).toEqual(['a', 'b'])
  ends.shift()?.()
  await all[0]
  await Promise.resolve()
  expect(log).toEqual(['a', 'b', 'c'])
  for (const end of ends.splice(0)) end()
  await expect(failing).rejects.toThrow('no')
  await Promise.all(all)
  await new Promise((resolve) => setImmediate(resolve))
  expect(log).toEqual(['a', 'b', 'c', 'd'])
  for (const end of ends.splice(0)) end()
  await last
})
