/** The table of `hconnect status`. */
import type { AgentStatus, LinkStatus, PortStatus } from '#agent/service/link-status.ts'
import { formatTable } from '#net/base/table.ts'

const HEADINGS = [
  'LINK',
  'NIC',
  'BRIDGE',
  'HUB',
  'STATE',
  'FOR',
  '>RTT',
  '>CONNS',
  '>IN',
  '>OUT',
  '>DROPS',
  '>RECONNECTS',
  'PID',
]
const UNITS = ['', 'k', 'M', 'G', 'T', 'P'] as const

/** @param now  milliseconds since 1970 */
export function formatStatus(agents: readonly AgentStatus[], now: number): string {
  const links = agents.flatMap((agent) => agent.links.map((link) => ({ link, pid: agent.pid })))
  const rows = links.map(({ link, pid }) => row(link, pid, now))
  const reasons = links.flatMap(({ link }) => reasonOf(link, now))
  return [formatTable(HEADINGS, rows), ...reasons, ''].join('\n')
}

function row(link: LinkStatus, pid: number, now: number): string[] {
  const [lan] = link.ports
  return [
    link.name,
    link.nic,
    link.bridges.join(','),
    link.hub,
    link.state,
    link.since === null ? '' : age(now - link.since),
    link.roundTripMs === null ? '' : `${link.roundTripMs.toFixed(1)} ms`,
    link.connections === 0 ? '' : String(link.connections),
    lan === undefined ? '' : scaled(lan.inOctets),
    lan === undefined ? '' : scaled(lan.outOctets),
    scaled(sum(link.ports.flatMap(dropsOf))),
    String(link.reconnects),
    String(pid),
  ]
}

function reasonOf({ name, reason, attempt, retryAt }: LinkStatus, now: number): string[] {
  if (reason === '') return []
  const again = retryAt === null ? '' : `; tried again in ${age(Math.max(0, retryAt - now))}`
  return [`${name}: attempt ${attempt}: ${reason}${again}`]
}

const dropsOf = ({ inDrops, outDrops }: PortStatus): number[] => [
  ...Object.values(inDrops),
  ...Object.values(outDrops),
]
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

/** Three or four digits and a unit of 1000. */
function scaled(n: number): string {
  const power = Math.min(UNITS.length - 1, n < 10_000 ? 0 : Math.floor(Math.log10(n) / 3))
  return power === 0 ? String(n) : `${(n / 1000 ** power).toFixed(1)}${UNITS[power]}`
}

const two = (n: number): string => String(n).padStart(2, '0')

/** `12s`, `3m05s`, `7h30m`, `12d04h` */
function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`
  const hours = Math.floor(seconds / 3600)
  if (hours < 24) return `${hours}h${two(Math.floor((seconds % 3600) / 60))}m`
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`
}
