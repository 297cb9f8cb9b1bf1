import { expect, it } from 'vitest'
import { TimerAlarm } from '#net/port/timer-alarm.ts'

/** How late an alarm rings, in milliseconds. */
function lateness(ms: number): Promise<number> {
  return new Promise((resolve) => {
    const due = performance.now() + ms
    const alarm = new TimerAlarm(() => {
      alarm.close()
      resolve(performance.now() - due)
    })
    alarm.set(ms)
  })
}

it('rings after its time, never before, whole milliseconds or not', async () => {
  for (const ms of [0, 0.3, 1, 2.7, 20.05]) {
    const late = await lateness(ms)
    expect(late).toBeGreaterThanOrEqual(0)
    expect(late).toBeLessThan(1000)
  }
})

it('rings once, at the time that was set last', async () => {
  let rings = 0
  const alarm = new TimerAlarm(() => rings++)
  alarm.set(1)
  alarm.set(10)
  await lateness(5)
  expect(rings).toBe(0)
  await expect.poll(() => rings, { timeout: 5000 }).toBe(1)
  await lateness(5)
  expect(rings).toBe(1)
  alarm.set(1)
  await expect.poll(() => rings, { timeout: 5000 }).toBe(2)
  alarm.close()
})
