/** The report on the terminal, to the letter of the guide; and the same as JSON, one object a line. */
import { vlanText } from '#agent/lan/bridge-choice.ts'
import type { Outage } from '#agent/link/tunnels.ts'
import type { CounterReading } from '#net/port/counters.ts'

const RULE = '--------------------------------------'
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** One port of the connector as a report shows it. */
export interface PortReading {
  readonly active: boolean
  /** Service VID pushed on entry, 0: none. */
  readonly qnq: number
  readonly strict: boolean
  /** VID that untagged frames belong to, 0: none. */
  readonly untaggedVlan: number
  readonly counters: CounterReading
}

/** The tunnel to one bridge of the hub. */
export interface RemoteReading {
  readonly bridge: string
  /** VID of the LAN's frames that belong to it, 0: those without a tag; undefined: all frames as they are. */
  readonly vlan: number | undefined
  readonly port: PortReading
  /** The hub keeps us out of this bridge, while the connection works. */
  readonly outage: Outage | undefined
}

export const formatVersion = (version: string): string => `Hybridge Connector Version: ${version}\n`

export const formatCheck = (address: string, ok: boolean): string =>
  `Checking connection to ${address}    [${ok ? 'ok' : 'failed'}]\n`

export const formatStart = (address: string, intervalSeconds: number): string =>
  `Starting Hybridge config connecting to ${address}\n` +
  'This command does not return. Ctrl-C to terminate the Hybridge connection.\n' +
  `The stats of the Hybridge connection will be displayed every ${intervalSeconds} seconds until the connection is terminated\n`

/** One report: the LAN side is port 1, the hub's bridges port 2 and up. What does not work stands above them. */
export const formatReport = (
  date: Date,
  link: LinkReading,
  local: PortReading,
  remotes: readonly RemoteReading[],
): string =>
  `${RULE}\ndate: ${ctime(date)}\n${RULE}\n` +
  (link.state === 'disconnected' ? `disconnected ${outageText(link)}\n` : '') +
  (link.connections > 1 ? `${link.connections} connections to the hub\n` : '') +
  remotes.map(({ bridge, outage }) => (outage ? `${bridge} away ${outageText(outage)}\n` : '')).join('') +
  'Port 0001: Local Hybridge connection\n' +
  remotes.map((remote, i) => `Port ${zeros(i + 2)}: Remote Hybridge connection${whatOf(remote)}\n`).join('') +
  formatPort(1, local) +
  remotes.map(({ port }, i) => formatPort(i + 2, port)).join('')

const outageText = ({ since, attempt, reason }: Outage): string =>
  `since ${ctime(new Date(since))}, attempt ${attempt}: ${reason}`

/** Of one tunnel alone the guide has no more to say. */
const whatOf = ({ bridge, vlan }: RemoteReading): string =>
  vlan === undefined ? '' : ` to ${bridge}, ${vlanText(vlan)}`

function formatPort(number: number, port: PortReading): string {
  const { inFrames, inOctets, outFrames, outOctets } = port.counters
  return (
    `Port ${zeros(number)} untagged_vlan=${zeros(port.untaggedVlan)}` +
    ` QnQ,Strict=${zeros(port.qnq)},${port.strict ? 1 : 0}` +
    ` ${port.active ? 'ACTIVE' : 'INACTIVE'} - Unnamed Allocatable\n` +
    ` IN:  pkts ${wide(inFrames, 10)}          bytes ${wide(inOctets, 20)}\n` +
    ` OUT: pkts ${wide(outFrames, 10)}          bytes ${wide(outOctets, 20)}\n`
  )
}

const zeros = (n: number): string => String(n).padStart(4, '0')
const two = (n: number): string => String(n).padStart(2, '0')
const wide = (n: number, width: number): string => String(n).padStart(width)

/** As ctime(3) writes it, in local time, without the newline. */
export function ctime(date: Date): string {
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  const day = String(date.getDate()).padStart(2)
  return `${DAYS[date.getDay()]} ${MONTHS[date.getMonth()]} ${day} ${time} ${date.getFullYear()}`
}

/** What the JSON report says beside the counters. */
export interface LinkReading {
  readonly state: 'connecting' | 'connected' | 'disconnected'
  /** Milliseconds since 1970 when this state began. */
  readonly since: number
  readonly hub: string
  /** Several with commas. */
  readonly bridge: string
  readonly nic: string
  /** Undefined until measured. */
  readonly roundTripMs: number | undefined
  /** That carry it now. */
  readonly connections: number
  /** Times that the link was set up again. */
  readonly reconnects: number
  /** Of the outage that lasts: attempts to connect so far. */
  readonly attempt: number
  /** Why the connection was lost, or the last attempt failed; '' while it works. */
  readonly reason: string
}

/** One line of `--json`: a report. */
export function formatReportJson(
  date: Date,
  link: LinkReading,
  local: PortReading,
  remotes: readonly RemoteReading[],
): string {
  const port = (number: number, name: string, reading: PortReading) => {
    const { counters, ...settings } = reading
    return { port: number, name, ...settings, ...counters }
  }
  return line(date, 'report', {
    ...link,
    since: new Date(link.since).toISOString(),
    roundTripMs: link.roundTripMs ?? null,
    ports: [
      port(1, 'local', local),
      ...remotes.map(({ bridge, vlan = null, port: reading, outage }, i) => ({
        ...port(i + 2, 'remote', reading),
        bridge,
        vlan,
        outage: outage ? { ...outage, since: new Date(outage.since).toISOString() } : null,
      })),
    ],
  })
}

/** One line of `--json`: something happened. */
export const formatEventJson = (date: Date, event: string, fields: object = {}): string =>
  line(date, event, fields)

const line = (date: Date, type: string, fields: object): string =>
  `${JSON.stringify({ type, time: date.toISOString(), ...fields })}\n`
