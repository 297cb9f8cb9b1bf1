import { expect, it } from 'vitest'
import { formatDevices, parseTopologies } from '#hub/command/topology-status-text.ts'

const device = (name: string, more: object): object => ({
  name,
  kind: 'host',
  state: 'running',
  reason: '',
  consolePort: 5001,
  managementAddress: null,
  ...more,
})

it('tells why a device or its console is not to be had', () => {
  const consoleProblem = 'its console has no TCP port 5001: another program has it'
  const [topology] = parseTopologies([
    {
      name: 'lab',
      owner: '',
      state: 'running',
      reason: '',
      since: 0,
      devices: [
        device('h1', {}),
        device('h2', { consoleProblem }),
        device('h3', { state: 'failed', reason: 'it ended', consoleProblem }),
      ],
    },
  ])
  const lines = topology && formatDevices(topology).split('\n')
  expect(lines?.slice(-2)).toEqual([`h2: ${consoleProblem}`, 'h3: it ended'])
  expect(lines).toHaveLength(7)
})
