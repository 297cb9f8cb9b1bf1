import { expect, it, vi } from 'vitest'
import { atExit } from '#net/base/at-exit.ts'

it('runs what was not forgotten, with one listener for all', () => {
  const before = process.listeners('exit')
  const ran: number[] = []
  const forget = Array.from({ length: 20 }, (_, i) => atExit(() => ran.push(i)))
  const [listener, ...others] = process.listeners('exit').filter((one) => !before.includes(one))
  expect(others).toEqual([])
  forget.slice(2).forEach((one) => one())
  listener?.call(process, 0)
  expect(ran).toEqual([0, 1])
  forget.forEach((one) => one())
  expect(process.listeners('exit')).toEqual(before)
})

it('runs the others when one fails', () => {
  const before = process.listeners('exit')
  const second = vi.fn<() => void>()
  const forget = [
    atExit(() => {
      throw new Error('first')
    }),
    atExit(second),
  ]
  const [listener] = process.listeners('exit').filter((one) => !before.includes(one))
  expect(() => listener?.call(process, 0)).toThrow('first')
  expect(second).toHaveBeenCalledOnce()
  forget.forEach((one) => one())
})
