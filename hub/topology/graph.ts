/** Pictures of a topology: devices, the bridges between them, and the interfaces that join them. */
import { Graph, layout } from '@dagrejs/dagre'

import { ConfigError } from '#net/base/errors.ts'
import type { Topology } from '#hub/topology/topology.ts'

interface Node {
  readonly id: string
  readonly label: string
  readonly detail: string
  readonly isDevice: boolean
}

/** A device's interfaces on a bridge, or a cable from bridge to bridge. */
interface Edge {
  readonly from: string
  readonly to: string
  readonly label: string
}

/** Devices and bridges by numbers, as names may be anything; several interfaces of a device on a bridge share a line. */
function graphOf({ devices, bridges, cables }: Topology): { nodes: Node[]; edges: Edge[] } {
  const deviceIds = new Map(devices.map(({ name }, i) => [name, `d${i}`]))
  const nodes: Node[] = [
    ...devices.map(({ name, kind }, i) => ({ id: `d${i}`, label: name, detail: kind, isDevice: true })),
    ...bridges.map(({ name }, i) => ({ id: `b${i}`, label: name, detail: '', isDevice: false })),
  ]
  const bridgeIds = new Map(bridges.map(({ name }, i) => [name, `b${i}`]))
  const laid = cables.map(([a, b]) => ({
    from: bridgeIds.get(a.bridge) ?? '',
    to: bridgeIds.get(b.bridge) ?? '',
    label: 'cable',
  }))
  const plugged = bridges.flatMap(({ ports }, i) => {
    const byDevice = new Map<string, string[]>()
    for (const port of ports) {
      const id = deviceIds.get(port.device) ?? ''
      byDevice.set(id, [...(byDevice.get(id) ?? []), port.interface])
    }
    return [...byDevice].map(([from, interfaces]) => ({ from, to: `b${i}`, label: interfaces.join(', ') }))
  })
  return { nodes, edges: [...plugged, ...laid] }
}

const quoted = (label: string): string => `"${label.replaceAll('"', '#quot;')}"`

/** A flowchart in the language of Mermaid. */
export function mermaidGraph(topology: Topology): string {
  const { nodes, edges } = graphOf(topology)
  return [
    'flowchart LR',
    ...nodes.map(
      ({ id, label, isDevice }) => `  ${id}${isDevice ? `[${quoted(label)}]` : `([${quoted(label)}])`}`,
    ),
    ...edges.map(({ from, to, label }) => `  ${from} ---|${quoted(label)}| ${to}`),
    '',
  ].join('\n')
}

/** Laying out takes 15 s for so many, and minutes for a few times more. */
const MOST_LINES = 1000
const CHARACTER = 7.5
const DEVICE_HEIGHT = 40
const BRIDGE_HEIGHT = 26
const MARGIN = 16

/** An SVG document that follows the reader's light or dark colours. @throws ConfigError when there is too much to draw */
export function svgGraph(topology: Topology): string {
  const { nodes, edges } = graphOf(topology)
  if (edges.length > MOST_LINES)
    throw new ConfigError(`${topology.name} has more than ${MOST_LINES} lines to draw (try --as mermaid)`)
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 24, ranksep: 90, marginx: MARGIN, marginy: MARGIN })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { id, label, isDevice } of nodes)
    graph.setNode(id, {
      width: Math.max(48, label.length * CHARACTER + 20),
      height: isDevice ? DEVICE_HEIGHT : BRIDGE_HEIGHT,
    })
  for (const { from, to } of edges) graph.setEdge(from, to)
  layout(graph)
  const size = graph.graph()
  const width = Math.ceil(size.width ?? 0) + MARGIN
  const height = Math.ceil(size.height ?? 0) + MARGIN
  const at = (id: string): { x: number; y: number; width: number; height: number } => {
    const { x = 0, y = 0, width: w = 0, height: h = 0 } = graph.node(id)
    return { x, y, width: w, height: h }
  }
  const lines = edges.map(({ from, to, label }) => {
    const a = at(from)
    const b = at(to)
    // Nearer to the device, whose interface it is.
    const x = a.x + (b.x - a.x) * 0.4
    const y = a.y + (b.y - a.y) * 0.4
    return (
      `<line x1="${n(a.x)}" y1="${n(a.y)}" x2="${n(b.x)}" y2="${n(b.y)}"/>` +
      `<text class="port" x="${n(x)}" y="${n(y - 3)}">${escape(label)}</text>`
    )
  })
  const shapes = nodes.map(({ id, label, detail, isDevice }) => {
    const { x, y, width: w, height: h } = at(id)
    const radius = isDevice ? 4 : h / 2
    const box = `<rect class="${isDevice ? 'device' : 'bridge'}" x="${n(x - w / 2)}" y="${n(y - h / 2)}" width="${n(w)}" height="${n(h)}" rx="${n(radius)}"/>`
    const name = `<text x="${n(x)}" y="${n(isDevice ? y - 1 : y + 4)}">${escape(label)}</text>`
    return (
      box +
      name +
      (isDevice ? `<text class="kind" x="${n(x)}" y="${n(y + 14)}">${escape(detail)}</text>` : '')
    )
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title>${escape(topology.name)}</title>
<style>
svg { color-scheme: light dark; background: light-dark(#fff, #16181c) }
text { font: 12px ui-monospace, monospace; text-anchor: middle; fill: light-dark(#1a1c20, #e6e8ec) }
.port, .kind { font-size: 10px; fill: light-dark(#5a6068, #9aa2ac) }
line { stroke: light-dark(#8a929c, #7a828c) }
rect { stroke-width: 1.5 }
.device { fill: light-dark(#e3eefb, #1d3350); stroke: #2f72c4 }
.bridge { fill: light-dark(#fdf0dc, #46320f); stroke: #c77b12 }
</style>
${lines.join('\n')}
${shapes.join('\n')}
</svg>
`
}

const n = (value: number): string => String(Math.round(value * 10) / 10)

const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
