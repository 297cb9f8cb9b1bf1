/** The metrics of a hub, of what its forwarding processes tell. What each means: docs/metrics.md. */
import { z } from 'zod'
import { ProtocolError } from '#net/base/errors.ts'
import { MetricFamily } from '#hub/metrics/exposition.ts'

const Drops = z.record(z.string(), z.number())
const FabricCounters = z.object({
  memoryOctets: z.number(),
  bridges: z.array(
    z.object({
      bridge: z.string(),
      addresses: z.number(),
      capacity: z.number(),
      evicted: z.number(),
      refused: z.number(),
    }),
  ),
  ports: z.array(
    z.object({
      bridge: z.string(),
      number: z.number(),
      name: z.string(),
      description: z.string(),
      up: z.boolean(),
      addresses: z.number(),
      counters: z.object({
        inFrames: z.number(),
        inOctets: z.number(),
        outFrames: z.number(),
        outOctets: z.number(),
        inDrops: Drops,
        outDrops: Drops,
      }),
    }),
  ),
  vlans: z.array(
    z.object({
      bridge: z.string(),
      vlans: z.array(
        z.object({
          vlan: z.number(),
          tpid: z.number(),
          addresses: z.number(),
          frames: z.number(),
          octets: z.number(),
        }),
      ),
    }),
  ),
})
type FabricCounters = z.infer<typeof FabricCounters>

/** @throws ProtocolError `malformed` */
export function parseFabricCounters(answer: unknown): FabricCounters {
  const parsed = FabricCounters.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new ProtocolError('malformed', "cannot read the fabric's counters: is it another version?")
}

export interface Process {
  readonly version: string
  /** Resident, of the metrics process itself. */
  readonly memoryOctets: number
}

/** What one forwarding process tells. */
export interface FabricMetrics {
  /** '': the hub's own. */
  readonly topology: string
  /** Undefined: it does not answer. */
  readonly counters: FabricCounters | undefined
}

export function formatMetrics(fabrics: readonly FabricMetrics[], { version, memoryOctets }: Process): string {
  const build = new MetricFamily('hybridge_build_info', 'gauge', 'Always 1; the version is a label.')
  build.add({ version }, 1)
  const up = new MetricFamily('hybridge_fabric_up', 'gauge', 'Whether the forwarding process answers.')
  const memory = new MetricFamily(
    'hybridge_process_resident_memory_bytes',
    'gauge',
    'Resident memory of processes of the hub.',
  )
  memory.add({ process: 'metrics' }, memoryOctets)
  for (const { topology, counters } of fabrics) {
    up.add(topology === '' ? {} : { topology }, counters ? 1 : 0)
    const process = topology === '' ? 'fabric' : `${topology}:fabric`
    if (counters) memory.add({ process }, counters.memoryOctets)
  }
  const families = [build, up, memory]
  const told = fabrics.flatMap(({ counters }) => (counters ? [counters] : []))
  if (told.length > 0) families.push(...bridgeFamilies(told), ...portFamilies(told), ...vlanFamilies(told))
  return families.map((family) => family.format()).join('')
}

function bridgeFamilies(fabrics: readonly FabricCounters[]): MetricFamily[] {
  const addresses = new MetricFamily('hybridge_bridge_addresses', 'gauge', 'Addresses learnt.')
  const capacity = new MetricFamily('hybridge_bridge_address_capacity', 'gauge', 'Addresses that fit.')
  const evicted = new MetricFamily(
    'hybridge_bridge_addresses_evicted_total',
    'counter',
    'Addresses that gave way to others, as the table was full.',
  )
  const refused = new MetricFamily(
    'hybridge_bridge_addresses_refused_total',
    'counter',
    'Addresses not learnt, as the table was full.',
  )
  for (const { bridge, ...table } of fabrics.flatMap(({ bridges }) => bridges)) {
    addresses.add({ bridge }, table.addresses)
    capacity.add({ bridge }, table.capacity)
    evicted.add({ bridge }, table.evicted)
    refused.add({ bridge }, table.refused)
  }
  return [addresses, capacity, evicted, refused]
}

function portFamilies(fabrics: readonly FabricCounters[]): MetricFamily[] {
  const up = new MetricFamily('hybridge_port_up', 'gauge', 'Whether frames can pass.')
  const addresses = new MetricFamily('hybridge_port_addresses', 'gauge', 'Addresses learnt on the port.')
  const frames = new MetricFamily(
    'hybridge_port_frames_total',
    'counter',
    'Frames as on the wire; in: from the port.',
  )
  const octets = new MetricFamily(
    'hybridge_port_octets_total',
    'counter',
    'Octets of these frames, without the FCS.',
  )
  const drops = new MetricFamily(
    'hybridge_port_drops_total',
    'counter',
    'Frames that went no further, by reason.',
  )
  for (const one of fabrics.flatMap(({ ports }) => ports)) {
    const { bridge, number: port, name, description, counters, ...state } = one
    // What an agent's is called stays when that leaves; what a client of VDE says of itself is anything, and never twice
    // the same.
    const isClient = name.startsWith('vde:')
    const labels = { bridge, port, name: description === '' || isClient ? name : description }
    up.add(labels, Number(state.up))
    addresses.add(labels, state.addresses)
    for (const [direction, passed, lost] of [
      ['in', [counters.inFrames, counters.inOctets], counters.inDrops],
      ['out', [counters.outFrames, counters.outOctets], counters.outDrops],
    ] as const) {
      frames.add({ ...labels, direction }, passed[0])
      octets.add({ ...labels, direction }, passed[1])
      for (const [reason, count] of Object.entries(lost)) drops.add({ ...labels, direction, reason }, count)
    }
  }
  return [up, addresses, frames, octets, drops]
}

function vlanFamilies(fabrics: readonly FabricCounters[]): MetricFamily[] {
  const addresses = new MetricFamily('hybridge_vlan_addresses', 'gauge', 'Addresses learnt in the VLAN.')
  const frames = new MetricFamily('hybridge_vlan_frames_total', 'counter', 'Frames received in the VLAN.')
  const octets = new MetricFamily(
    'hybridge_vlan_octets_total',
    'counter',
    'Octets of these frames, without the FCS.',
  )
  for (const { bridge, vlans: rows } of fabrics.flatMap(({ vlans }) => vlans))
    for (const { vlan, tpid, ...row } of rows) {
      const labels = { bridge, vlan, tpid: tpid.toString(16) }
      addresses.add(labels, row.addresses)
      frames.add(labels, row.frames)
      octets.add(labels, row.octets)
    }
  return [addresses, frames, octets]
}
