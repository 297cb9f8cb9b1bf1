import { describe, expect, it } from 'vitest'

import { mermaidGraph, svgGraph } from '#hub/topology/graph.ts'
import { readTopology } from '#hub/topology/read.ts'

const { topology } = readTopology(
  {
    name: 'f',
    text: `config "<lab\u001b>" {
      vm "r1" { basedisk "vjx"; interface "em0" { bridge "external"; }; interface "em1" { bridge "private1"; };
        interface "em2" { bridge "private1"; }; };
      vm "h1" { basedisk "centos"; interface "em1" { bridge "private1"; }; interface "em2" { bridge "dead"; }; };
    };`,
  },
  undefined,
)

describe('A graph', () => {
  it('of Mermaid names devices, bridges and the interfaces between', () => {
    expect(topology && mermaidGraph(topology)).toBe(`flowchart LR
  d0["r1"]
  d1["h1"]
  b0(["external"])
  b1(["private1"])
  d0 ---|"em0"| b0
  d0 ---|"em1, em2"| b1
  d1 ---|"em1"| b1
`)
  })

  it('as SVG has a shape for each within its bounds, and nothing of names in its markup', () => {
    const svg = topology ? svgGraph(topology) : ''
    const [, width = '0', height = '0'] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []
    const boxes = [
      ...svg.matchAll(/<rect class="(\w+)" x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="([\d.]+)"/g),
    ]
    expect(boxes.map(([, kind]) => kind)).toEqual(['device', 'device', 'bridge', 'bridge'])
    for (const [, , x, y, w, h] of boxes) {
      expect(Math.min(Number(x), Number(y))).toBeGreaterThanOrEqual(0)
      expect(Number(x) + Number(w)).toBeLessThanOrEqual(Number(width))
      expect(Number(y) + Number(h)).toBeLessThanOrEqual(Number(height))
    }
    expect(svg.match(/<line /g)).toHaveLength(3)
    expect(svg).toContain('<title>&#60;lab\ufffd&#62;</title>')
  })

  it('that would take long to lay out is not drawn', () => {
    const interfaces = Array.from({ length: 63 }, (_, i) => `interface "em${i}" { bridge "private${i}"; };`)
    const devices = Array.from({ length: 16 }, (_, i) => `vm "h${i}" { ${interfaces.join(' ')} };`)
    const large = readTopology({ name: 'f', text: `config "large" { ${devices.join('\n')} };` }, undefined)
    expect(() => large.topology && svgGraph(large.topology)).toThrow('large has more than 1000 lines to draw')
  })
})
