/** Connector points as text for terminals. */
import { z } from 'zod'
import { formatTable } from '#net/base/table.ts'
import { parseAnswer, PortStatus } from '#hub/command/show-text.ts'
import { formatCount, shorten } from '#hub/command/table.ts'

const Connector = z.object({
  bridge: z.string(),
  topology: z.string().nullable(),
  ports: z.number(),
  connected: z.array(z.string()),
  refusal: z.string(),
})
type Connector = z.infer<typeof Connector>

const Point = z.object({
  bridge: z.string(),
  /** Whose topology it is; empty: the operators'. */
  owner: z.string(),
  ports: z.array(PortStatus),
  /** Why nobody may join it; empty when one may. */
  refusal: z.string(),
  /** `HOST:PORT` */
  hub: z.string(),
})
type Point = z.infer<typeof Point>

const WIDTH = 80
const LONGEST_NAME = 40
const PACKETS = 10
const BYTES = 12

/** @throws ProtocolError `malformed` */
export const parseConnectors = (answer: unknown): Connector[] => parseAnswer(z.array(Connector), answer)
/** @throws ProtocolError `malformed` */
export const parseConnector = (answer: unknown): Point => parseAnswer(Point, answer)

export function formatConnectors(connectors: readonly Connector[]): string {
  if (connectors.length === 0) return 'no connector points: no topology runs, and the hub has no bridges'
  const names = connectors.map(({ bridge }) => shorten(bridge, LONGEST_NAME))
  const width = Math.max('connector'.length, ...names.map(({ length }) => length))
  const left = WIDTH - width - '  ports  '.length
  const rows = connectors.map(({ ports, connected, refusal }, i) => [
    names[i] ?? '',
    String(ports),
    shorten(refusal === '' ? connected.join(', ') : '(nobody may join it)', left),
  ])
  return formatTable(['connector', '>ports', 'connected'], rows)
}

/** Its command is whole, however long: it is to be copied. */
export function formatConnector(point: Point): string {
  const figures = point.ports.map(({ up, counters }) => [
    up ? 'up' : 'down',
    formatCount(counters.inFrames, PACKETS),
    formatCount(counters.inOctets, BYTES),
    formatCount(counters.outFrames, PACKETS),
    formatCount(counters.outOctets, BYTES),
  ])
  const headings = ['state', '>packets in', '>bytes in', '>packets out', '>bytes out']
  // The names take what the figures leave.
  const [line = ''] = formatTable(headings, figures).split('\n')
  const left = WIDTH - '>port  '.length - 2 - line.length
  const rows = point.ports.map(({ number, name, description }, i) => [
    String(number),
    shorten(name === '' ? description : name, left),
    ...(figures[i] ?? []),
  ])
  return [
    point.bridge,
    rows.length === 0 ? 'no ports' : formatTable(['>port', 'name', ...headings], rows),
    '',
    point.refusal === '' ? joinCommand(point) : point.refusal,
  ].join('\n')
}

/** What joins it, as it is typed; `USER` where it is anybody's. */
export const joinCommand = ({ bridge, owner, hub }: Point): string =>
  `hconnect -u ${owner === '' ? 'USER' : owner} -b ${bridge} -s ${hub}`
