import { expect, it } from 'vitest'
import { StartProgress, summaryOf } from '#hub/command/start-progress.ts'
import {
  type DeviceStatus,
  formatDevices,
  formatTopologies,
  parseTopologies,
  type TopologyStatus,
} from '#hub/command/topology-status-text.ts'

const device = (name: string, state: DeviceStatus['state'], reason = ''): DeviceStatus => ({
  name,
  kind: 'host',
  state,
  reason,
  notice: '',
  consolePort: 5001,
  consoleProblem: '',
  managementAddress: null,
})
const topology = (
  name: string,
  devices: DeviceStatus[],
  more: Partial<TopologyStatus> = {},
): TopologyStatus => ({
  name,
  owner: '',
  state: 'running',
  reason: '',
  since: new Date(2026, 3, 11, 19, 37).getTime(),
  devices,
  ...more,
})

it('lists topologies, what is wrong with them below', () => {
  const all = [
    topology('two', [device('h1', 'running'), device('h2', 'failed', 'no')], { owner: 'ann' }),
    topology('lab', [], { state: 'failed', reason: 'forwarding: it ended (SIGKILL)' }),
    topology('old', [], { state: 'stopped', since: null }),
  ]
  expect(formatTopologies(all)).toBe(`topology  owner  state    devices  since
two       ann    running      1/2  2026-04-11 19:37
lab       -      failed       0/0  2026-04-11 19:37
old       -      stopped        -  -
lab: forwarding: it ended (SIGKILL)`)
})

it('shows the devices of one, and steers no terminal', () => {
  const devices = [device('h1', 'running'), device('h2', 'failed', 'it said \u001b[31mred')]
  const state = { owner: 'ann', state: 'failed' as const, reason: 'forwarding: it ended' }
  expect(formatDevices(topology('two', devices, state))).toBe(`two: failed since 2026-04-11 19:37, owner ann
device  kind  state    console                management
h1      host  running  telnet 127.0.0.1 5001  -
h2      host  failed   telnet 127.0.0.1 5001  -
h2: it said \ufffd[31mred
two: forwarding: it ended`)
})

it('refuses an answer of another shape', () => {
  expect(() => parseTopologies([{ name: 'two' }])).toThrow(/is it another version\?/)
})

it('tells of each device once, and again when it fails otherwise', () => {
  const progress = new StartProgress()
  const now = (...devices: DeviceStatus[]): string[] => progress.linesOf(topology('two', devices))
  expect(now(device('h1', 'starting'), device('h2', 'running'))).toEqual(['h2 is running'])
  expect(now(device('h1', 'failed', 'a'), device('h2', 'running'))).toEqual(['h1 failed: a'])
  expect(now(device('h1', 'failed', 'a'), device('h2', 'running'))).toEqual([])
  expect(now(device('h1', 'running'), device('h2', 'running'))).toEqual(['h1 is running'])
  expect(summaryOf(topology('two', [device('h1', 'failed'), device('h2', 'running')]))).toBe(
    '1 of 2 running, 1 failed',
  )
})

it('tells why a device or its console is not to be had', () => {
  const consoleProblem = 'its console has no TCP port 5001: another program has it'
  const devices = [
    device('h1', 'running'),
    { ...device('h2', 'running'), consoleProblem },
    { ...device('h3', 'failed', 'it ended'), consoleProblem },
  ]
  const lines = formatDevices(topology('lab', devices)).split('\n')
  expect(lines.slice(-2)).toEqual([`h2: ${consoleProblem}`, 'h3: it ended'])
  expect(lines).toHaveLength(7)
})

it('says once what is to be known of several devices', () => {
  const notice = 'this vjx starts as a host'
  const devices = [
    { ...device('r1', 'running'), notice },
    device('h1', 'failed', 'it ended'),
    { ...device('r2', 'running'), notice },
  ]
  expect(formatDevices(topology('lab', devices)).split('\n').slice(-2)).toEqual([
    'h1: it ended',
    `r1, r2: ${notice}`,
  ])
})
