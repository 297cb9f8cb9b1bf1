/** The hub's answers to `hybridge show`, checked, and as text for terminals. */
import { z } from 'zod'
import { ProtocolError } from '#net/base/errors.ts'
import { formatCount, shorten } from '#hub/command/table.ts'
import { formatTable } from '#net/base/table.ts'

const Drops = z.record(z.string(), z.number())
export const PortStatus = z.looseObject({
  bridge: z.string(),
  number: z.number(),
  name: z.string(),
  description: z.string(),
  up: z.boolean(),
  /** `mode=access,vlan=10` */
  mode: z.string(),
  untaggedVlan: z.number(),
  qnq: z.number(),
  strict: z.union([z.number(), z.boolean()]),
  maxFrame: z.number(),
  /** Set while loop protection keeps it shut. */
  loop: z.object({ port: z.number(), holdSeconds: z.number() }).nullish(),
  settings: z.record(z.string(), z.string()),
  counters: z.object({
    inFrames: z.number(),
    inOctets: z.number(),
    outFrames: z.number(),
    outOctets: z.number(),
    inDrops: Drops,
    outDrops: Drops,
  }),
})
export type PortStatus = z.infer<typeof PortStatus>

const MacStatus = z.looseObject({
  bridge: z.string(),
  address: z.string(),
  vlan: z.number(),
  port: z.number(),
  ageSeconds: z.number(),
})
export type MacStatus = z.infer<typeof MacStatus>

const BridgeStatus = z.looseObject({
  name: z.string(),
  ports: z.number(),
  settings: z.record(z.string(), z.string()),
})
type BridgeStatus = z.infer<typeof BridgeStatus>

/** @throws ProtocolError `malformed` */
export function parseAnswer<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.slice(0, 3).map((issue) => issue.path.join('.'))
  throw new ProtocolError(
    'malformed',
    `cannot read the hub's answer (${fields.join(', ')}): is it another version?`,
  )
}

/** The full name of a bridge. */
export const parseFound = (answer: unknown): { bridge: string } =>
  parseAnswer(z.object({ bridge: z.string() }), answer)
export const parsePorts = (answer: unknown): PortStatus[] => parseAnswer(z.array(PortStatus), answer)
export const parseMacs = (answer: unknown): MacStatus[] => parseAnswer(z.array(MacStatus), answer)
export const parseBridges = (answer: unknown): BridgeStatus[] => parseAnswer(z.array(BridgeStatus), answer)

const WIDTH = 80
const FRAMES = 10
const OCTETS = 12

/** One table for each bridge, 80 columns wide at most. */
export function formatPorts(ports: readonly PortStatus[]): string {
  return byBridge(ports)
    .map(([bridge, group]) => `${bridge}\n${formatBridge(group)}`)
    .join('\n\n')
}

function formatBridge(ports: readonly PortStatus[]): string {
  const cells = ports.map(({ number, up, counters }) => [
    String(number),
    up ? 'up' : 'down',
    formatCount(counters.inFrames, FRAMES),
    formatCount(counters.inOctets, OCTETS),
    formatCount(counters.outFrames, FRAMES),
    formatCount(counters.outOctets, OCTETS),
  ])
  const headings = ['>port', 'state', '>in frames', '>octets', '>out frames', '>octets']
  const [head = '', ...lines] = formatTable(headings, cells).split('\n')
  // The names take what the figures leave.
  const figures = Math.max(head.length, ...lines.map((line) => line.length))
  const names = ports.map((port) => shorten(port.name, Math.max(WIDTH - figures - 2, 10)))
  const table = formatTable(
    ['>port', 'name', 'state', '>in frames', '>octets', '>out frames', '>octets'],
    cells.map(([number = '', ...rest], i) => [number, names[i] ?? '', ...rest]),
  ).split('\n')
  return table.flatMap((line, i) => [line, ...detailsOf(ports[i - 1])]).join('\n')
}

function detailsOf(port: PortStatus | undefined): string[] {
  if (!port) return []
  const { description, loop, settings, counters } = port
  const details: string[] = []
  if (description !== '' && description !== port.name) details.push(description)
  if (loop) details.push(`shut for ${loop.holdSeconds} s: a loop with port ${loop.port}`)
  for (const [name, value] of Object.entries(settings))
    details.push(...wrap('', `${name}=${value}`.split(',')))
  for (const [way, drops] of [
    ['in', counters.inDrops],
    ['out', counters.outDrops],
  ] as const) {
    const reasons = Object.entries(drops).map(([reason, count]) => `${reason} ${formatCount(count, FRAMES)}`)
    if (reasons.length > 0) details.push(...wrap(`drops ${way}: `, reasons, ' '))
  }
  return details.map((detail) => `      ${shorten(detail, WIDTH - 6)}`)
}

/** Items behind a title in lines that fit, with commas between them. */
function wrap(title: string, items: readonly string[], space = ''): string[] {
  const lines: string[] = []
  let line = title
  for (const [i, item] of items.entries()) {
    const text = i < items.length - 1 ? `${item},${space}` : item
    if (line.length + text.length > WIDTH - 6 && line.length > title.length) {
      lines.push(line.trimEnd())
      line = ' '.repeat(title.length)
    }
    line += text
  }
  return [...lines, line]
}

export function formatMacs(macs: readonly MacStatus[]): string {
  return byBridge(macs)
    .map(([bridge, group]) => {
      const rows = group.map((mac) => [
        mac.address,
        String(mac.vlan),
        String(mac.port),
        `${Math.round(mac.ageSeconds)} s`,
      ])
      return `${bridge}\n${formatTable(['address', '>vlan', '>port', '>age'], rows)}`
    })
    .join('\n\n')
}

export function formatBridges(bridges: readonly BridgeStatus[]): string {
  const rows = bridges.map(({ name, ports, settings }) => [
    name,
    String(ports),
    Object.entries(settings)
      .map(([setting, value]) => `${setting}=${value}`)
      .join(' '),
  ])
  return bridges.length === 0 ? 'no bridges' : formatTable(['bridge', '>ports', 'settings'], rows)
}

function byBridge<T extends { readonly bridge: string }>(rows: readonly T[]): [string, T[]][] {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const group = groups.get(row.bridge)
    if (group) group.push(row)
    else groups.set(row.bridge, [row])
  }
  return [...groups]
}
