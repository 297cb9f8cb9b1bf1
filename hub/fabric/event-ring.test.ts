import { expect, it } from 'vitest'
import { EventRing } from '#hub/fabric/event-ring.ts'

it('tells what is new to whom, and keeps the last 200', () => {
  const ring = new EventRing()
  ring.add('up', 5)
  ring.add('x'.repeat(9999), 6)
  expect(ring.after(0)).toMatchObject([{ number: 1, time: 5, text: 'up' }, { number: 2 }])
  expect(ring.after(1)[0]?.text.length).toBe(500)
  for (let i = 0; i < 300; i++) ring.add(String(i), i)
  expect(ring.after(0)).toHaveLength(200)
  expect(ring.after(301)).toEqual([{ number: 302, time: 299, text: '299' }])
  expect(ring.after(302)).toEqual([])
})
