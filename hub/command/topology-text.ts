/** A checked topology for people and programs. */
import { formatTable } from '#net/base/table.ts'
import type { Topology } from '#hub/topology/topology.ts'

export function formatTopology({ name, devices, bridges, cables }: Topology): string {
  const rows = devices.map((device) => [
    device.name,
    device.kind,
    device.interfaces.map((one) => `${one.name}=${one.bridge ?? '-'}`).join(' '),
    device.configuration?.source.replace(/^.*\//, '') ?? '-',
  ])
  return [
    `${name}: ${count(devices.length, 'device')}, ${count(bridges.length, 'bridge')}${cables.length > 0 ? `, ${count(cables.length, 'cable')}` : ''}`,
    ...(rows.length === 0 ? [] : [formatTable(['device', 'kind', 'interfaces', 'configuration'], rows)]),
  ].join('\n')
}

export const topologyJson = (topology: Topology): string =>
  JSON.stringify({
    ...topology,
    devices: topology.devices.map((device) => ({
      ...device,
      place: undefined,
      interfaces: device.interfaces.map(({ name, bridge, settings }) => ({
        name,
        bridge: bridge ?? null,
        settings,
      })),
    })),
  })

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
