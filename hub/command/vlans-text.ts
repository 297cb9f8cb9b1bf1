/** The hub's answer to `hybridge show vlans`, checked, and as text for terminals. */
import { z } from 'zod'
import { parseAnswer } from '#hub/command/show-text.ts'
import { formatCount } from '#hub/command/table.ts'
import { formatTable } from '#net/base/table.ts'

const Ports = z.array(z.number())
const Vlan = z.looseObject({
  vlan: z.number(),
  tpid: z.number(),
  untagged: Ports,
  tagged: Ports,
  addresses: z.number(),
  frames: z.number(),
  octets: z.number(),
})
type Vlan = z.infer<typeof Vlan>
const BridgeVlans = z.looseObject({ bridge: z.string(), transparent: Ports, vlans: z.array(Vlan) })
type BridgeVlans = z.infer<typeof BridgeVlans>

/** @throws ProtocolError `malformed` */
export const parseVlans = (answer: unknown): BridgeVlans[] => parseAnswer(z.array(BridgeVlans), answer)

const FRAMES = 10
const OCTETS = 12
/** Leaves the line 80 columns wide at most. */
const PORTS = 12
const LINE = 80

/** One table for each bridge. */
export function formatVlans(bridges: readonly BridgeVlans[]): string {
  return bridges.length === 0 ? 'no bridges' : bridges.map(formatBridge).join('\n\n')
}

function formatBridge({ bridge, transparent, vlans }: BridgeVlans): string {
  const rows = groups(vlans).map(([row, last]) => [
    row.vlan === last ? String(last) : `${row.vlan}-${last}`,
    row.vlan === 0 ? '-' : row.tpid.toString(16),
    shortenList(portsText(row.untagged), PORTS),
    shortenList(portsText(row.tagged), PORTS),
    String(row.addresses),
    formatCount(row.frames, FRAMES),
    formatCount(row.octets, OCTETS),
  ])
  const headings = ['>vlan', 'tpid', 'untagged', 'tagged', '>addresses', '>frames', '>octets']
  const table = rows.length === 0 ? 'no VLANs seen or named' : formatTable(headings, rows)
  const every = `transparent, in every VLAN: ${portsText(transparent)}`
  return [bridge, table, ...(transparent.length === 0 ? [] : [shortenList(every, LINE)])].join('\n')
}

/** VLANs one after the other that are on the same ports, and idle, are one row: its first one, and the last VID. */
function groups(vlans: readonly Vlan[]): [first: Vlan, last: number][] {
  const rows: [Vlan, number][] = []
  for (const vlan of vlans) {
    const group = rows.at(-1)
    if (group !== undefined && vlan.vlan === group[1] + 1 && areAlike(group[0], vlan)) group[1] = vlan.vlan
    else rows.push([vlan, vlan.vlan])
  }
  return rows
}

const areAlike = (a: Vlan, b: Vlan): boolean =>
  [a, b].every(({ frames, addresses }) => frames === 0 && addresses === 0) &&
  a.tpid === b.tpid &&
  a.untagged.join() === b.untagged.join() &&
  a.tagged.join() === b.tagged.join()

/** `1-3,7` of numbers in order; `-` when there are none. */
function portsText(ports: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const port of ports) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === port - 1) last[1] = port
    else ranges.push([port, port])
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',') || '-'
}

/** `text` in at most `width` characters, cut behind a comma: half a number would be another one. */
const shortenList = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, text.lastIndexOf(',', width - 2) + 1)}…`
