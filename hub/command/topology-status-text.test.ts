import { expect, it } from 'vitest'
import { formatDeviceTable } from '#hub/command/topology-status-text.ts'

const device = (name: string, reason: string, notice: string) => ({
  shown: name,
  device: {
    name,
    kind: 'vjx',
    state: reason === '' ? ('running' as const) : ('failed' as const),
    reason,
    notice,
    consolePort: 5001,
    managementAddress: null,
  },
})

it('says below the table why devices do not run, and once what is to be known of several', () => {
  const notice = 'this vjx starts as a host'
  const text = formatDeviceTable([
    device('r1', '', notice),
    device('h1', 'it ended', ''),
    device('r2', '', notice),
  ])
  expect(text.split('\n').slice(4)).toEqual(['h1: it ended', `r1, r2: ${notice}`])
})
