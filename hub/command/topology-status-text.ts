/** The hub's answers about topologies, checked, and as text for terminals. */
import { z } from 'zod'
import { printable } from '#net/base/printable.ts'
import { formatTable } from '#net/base/table.ts'
import { parseAnswer } from '#hub/command/show-text.ts'

const DeviceStatus = z.looseObject({
  name: z.string(),
  kind: z.string(),
  state: z.enum(['stopped', 'starting', 'running', 'failed']),
  reason: z.string(),
  notice: z.string().default(''),
  consolePort: z.number(),
  /** Why nobody can connect there; empty when he can. */
  consoleProblem: z.string().default(''),
  managementAddress: z.string().nullable(),
})
export type DeviceStatus = z.infer<typeof DeviceStatus>

const TopologyStatus = z.looseObject({
  name: z.string(),
  owner: z.string(),
  state: z.enum(['stopped', 'starting', 'running', 'stopping', 'failed']),
  reason: z.string(),
  since: z.number().nullable(),
  devices: z.array(DeviceStatus),
})
export type TopologyStatus = z.infer<typeof TopologyStatus>

/** @throws ProtocolError `malformed` */
export const parseTopologies = (answer: unknown): TopologyStatus[] =>
  parseAnswer(z.array(TopologyStatus), answer)

export const runningOf = ({ devices }: TopologyStatus): number =>
  devices.filter(({ state }) => state === 'running').length

export function formatTopologies(topologies: readonly TopologyStatus[]): string {
  const rows = topologies.map((topology) => [
    topology.name,
    topology.owner === '' ? '-' : topology.owner,
    topology.state,
    topology.state === 'stopped' ? '-' : `${runningOf(topology)}/${topology.devices.length}`,
    topology.since === null ? '-' : localTime(topology.since),
  ])
  const table = formatTable(['topology', 'owner', 'state', '>devices', 'since'], rows)
  return [table, ...reasons(topologies)].join('\n')
}

/** One topology with its devices. */
export function formatDevices(topology: TopologyStatus): string {
  const { name, owner, state, since, devices } = topology
  const whose = owner === '' ? '' : `, owner ${owner}`
  const when = since === null ? '' : ` since ${localTime(since)}`
  const head = `${printable(name)}: ${state}${when}${printable(whose)}`
  const rows = devices.map((device) => ({ shown: device.name, device }))
  return [head, ...(rows.length > 0 ? [formatDeviceTable(rows)] : []), ...reasons([topology])].join('\n')
}

/** @param rows  devices and the names that they go by */
export function formatDeviceTable(
  rows: readonly { readonly shown: string; readonly device: DeviceStatus }[],
): string {
  const table = formatTable(
    ['device', 'kind', 'state', 'console', 'management'],
    rows.map(({ shown, device }) => [
      shown,
      device.kind,
      device.state,
      `telnet 127.0.0.1 ${device.consolePort}`,
      device.managementAddress ?? '-',
    ]),
  )
  const said = rows.flatMap(({ shown, device }) => [
    { name: shown, reason: device.reason },
    { name: shown, reason: device.state === 'running' ? device.consoleProblem : '' },
  ])
  return [table, ...reasons(said), ...notices(rows)].join('\n')
}

const reasons = (all: readonly { readonly name: string; readonly reason: string }[]): string[] =>
  all.filter(({ reason }) => reason !== '').map(({ name, reason }) => printable(`${name}: ${reason}`))

/** What is to be known of several devices is said once. */
function notices(rows: readonly { readonly shown: string; readonly device: DeviceStatus }[]): string[] {
  const texts = new Set(rows.map(({ device }) => device.notice).filter((notice) => notice !== ''))
  return [...texts].map((text) => {
    const names = rows.filter(({ device }) => device.notice === text).map(({ shown }) => shown)
    return printable(`${names.join(', ')}: ${text}`)
  })
}

/** `2026-04-11 19:37` */
function localTime(ms: number): string {
  const time = new Date(ms)
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-')
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`
}

const two = (value: number): string => String(value).padStart(2, '0')
