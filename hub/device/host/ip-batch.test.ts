import { expect, it } from 'vitest'
import { ipBatch } from '#hub/device/host/ip-batch.ts'

it('does all, and says of each line what failed', async () => {
  expect(await ipBatch([])).toEqual([])
  expect(
    await ipBatch(['link show dev lo', 'link show dev none0', 'nonsense here', 'link show dev lo']),
  ).toEqual([
    'ip link show dev none0: Device "none0" does not exist.',
    'ip nonsense here: Object "nonsense" is unknown, try "ip help".',
  ])
})
