/** The hub's answer to `hybridge show rstp`, checked, and as text for terminals. */
import { z } from 'zod'
import { parseAnswer } from '#hub/command/show-text.ts'
import { shorten } from '#hub/command/table.ts'
import { formatTable } from '#net/base/table.ts'

const RstpStatus = z.looseObject({
  bridge: z.string(),
  enabled: z.boolean(),
  bridgeId: z.string(),
  root: z.string(),
  rootPort: z.number(),
  rootCost: z.number(),
  topologyChanges: z.number(),
  secondsSinceChange: z.number().nullable(),
  hello: z.number(),
  maxAge: z.number(),
  forwardDelay: z.number(),
  ports: z.array(
    z.looseObject({
      number: z.number(),
      name: z.string(),
      role: z.string(),
      state: z.string(),
      cost: z.number(),
      edge: z.boolean(),
      pointToPoint: z.boolean(),
      rstp: z.boolean(),
      designatedBridge: z.string(),
      designatedPort: z.string(),
      rcvdBpdus: z.number(),
      badBpdus: z.number(),
      sentBpdus: z.number(),
    }),
  ),
})
type RstpStatus = z.infer<typeof RstpStatus>
type PortStatus = RstpStatus['ports'][number]

const WIDTH = 80
const INDENT = '      '

export const parseRstp = (answer: unknown): RstpStatus[] => parseAnswer(z.array(RstpStatus), answer)

/** 80 columns wide at most. */
export const formatRstp = (bridges: readonly RstpStatus[]): string => bridges.map(formatBridge).join('\n\n')

function formatBridge(status: RstpStatus): string {
  if (!status.enabled) return `${status.bridge}: off (hybridge bridge set ${status.bridge} rstp=on)`
  const { bridge, bridgeId, root, rootPort, rootCost, hello, maxAge, forwardDelay } = status
  const way = rootPort === 0 ? 'this bridge' : `through port ${rootPort}, cost ${rootCost}`
  const { topologyChanges: changes, secondsSinceChange: since } = status
  return [
    bridge,
    `bridge  ${bridgeId}`,
    `root    ${root}, ${way}`,
    `times   hello ${hello} s, max-age ${maxAge} s, forward-delay ${forwardDelay} s`,
    `topology changes ${changes}${since === null ? '' : `, the last ${since} s ago`}`,
    ...formatPorts(status.ports),
  ].join('\n')
}

function formatPorts(ports: readonly PortStatus[]): string[] {
  if (ports.length === 0) return ['no ports']
  const rows = ports.map((port) => [
    String(port.number),
    port.role,
    port.state,
    String(port.cost),
    linkText(port),
    shorten(port.name, 27),
  ])
  const lines = formatTable(['>port', 'role', 'state', '>cost', 'link', 'name'], rows).split('\n')
  return lines.flatMap((line, i) => [line, ...detailsOf(ports[i - 1])])
}

const linkText = ({ edge, pointToPoint, rstp }: PortStatus): string =>
  `${edge ? 'edge' : pointToPoint ? 'p2p' : 'shared'}${rstp ? '' : ' stp'}`

function detailsOf(port: PortStatus | undefined): string[] {
  if (port === undefined || port.role === 'disabled') return []
  const { designatedBridge, designatedPort, rcvdBpdus, sentBpdus, badBpdus } = port
  const bad = badBpdus === 0 ? '' : `, bad ${badBpdus}`
  return [
    `${INDENT}designated ${designatedBridge} port ${designatedPort}`,
    `${INDENT}BPDUs in ${rcvdBpdus}, out ${sentBpdus}${bad}`,
  ].map((line) => shorten(line, WIDTH))
}
