import { describe, expect, it } from 'vitest'
import { formatDiagnostic } from '#hub/topology/language/source.ts'
import { readTopology } from '#hub/topology/read.ts'

const VMM = `config "c" {
  vm "pc1" { basedisk "centos"; interface "em1" { bridge "a"; }; interface "em2" { bridge "dead"; }; };
};`

function read(yaml: string) {
  const files: Record<string, string> = { 'bridges.yaml': yaml }
  const { topology, diagnostics } = readTopology(
    { name: 'lab.vmm', text: VMM },
    { paths: ['lab.vmm', 'bridges.yaml'], read: (path) => files[path] ?? '' },
  )
  return { topology, said: diagnostics.list.map((one) => formatDiagnostic(one).split('\n')[0]) }
}

describe('bridges.yaml', () => {
  it('gives bridges and ports settings, and lays cables', () => {
    const { topology, said } = read(
      `
bridges:
  a: { rstp: on, priority: 4096, ageing: 60 }
  b:
cables:
  - [a, b]
  - [b, { bridge: c, impair: delay=20ms, cost: 2000 }]
ports:
  pc1:em1:
    mode: access,vlan=10
`.replace('  b:\n', '  b: {}\n'),
    )
    expect(said).toEqual([])
    expect(topology?.bridges).toEqual([
      {
        name: 'a',
        ports: [{ device: 'pc1', interface: 'em1' }],
        settings: { rstp: 'on', priority: '4096', ageing: '60' },
      },
      { name: 'b', ports: [], settings: {} },
      { name: 'c', ports: [], settings: {} },
    ])
    expect(topology?.cables).toEqual([
      [
        { bridge: 'a', settings: {} },
        { bridge: 'b', settings: {} },
      ],
      [
        { bridge: 'b', settings: {} },
        { bridge: 'c', settings: { impair: 'delay=20ms', cost: '2000' } },
      ],
    ])
    expect(topology?.devices[0]?.interfaces.map(({ settings }) => settings)).toEqual([
      { mode: 'access,vlan=10' },
      {},
    ])
  })

  it.each([
    ['bridges: { a: { rstp: maybe } }', /^bridges.yaml:1:12: error: bridges.a: rstp=maybe is not valid/],
    ['bridges: { a: { ageing: 5 } }', /ageing=5 is not valid/],
    ['bridges: { a: { colour: red } }', /^bridges.yaml:1:\d+: error: bridges.a: unknown setting colour/],
    ['cables: [[a]]', /expected two bridges, as \[ring1, ring2\]/],
    ['cables:\n- [a, {impair: loss=1%}]', /^bridges.yaml:2:7: error: cables.0.1: names no bridge/],
    ['cables: [[a, dead]]', /is no bridge that a cable may lead to/],
    ['cables: [[a, {bridge: b, mode: weird}]]', /cables.0.1: .*mode/],
    ['cables: [[a, {bridge: b, impair: loss=lots}]]', /impairment loss=lots/],
    ['ports: { pc9:em1: {} }', /ports.pc9:em1: no such interface on a bridge/],
    ['ports: { pc1:em2: {} }', /no such interface on a bridge/],
    ['ports: { pc1:em1: { link: sideways } }', /link=sideways is not valid/],
    ['links: []', /^bridges.yaml:1:1: error: links: unknown setting/],
    ['bridges: [', /^bridges.yaml:1:\d+: error: /],
  ])('is told what is wrong in %s', (yaml, message) => {
    const { topology, said } = read(yaml)
    expect(said[0]).toMatch(message)
    expect(topology).toBeUndefined()
  })
})
