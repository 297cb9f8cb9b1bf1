import { expect, it } from 'vitest'
import { connectorsOf, parseConnected } from '#hub/accounts/connectors.ts'

const NAMES = {
  hub: ['own'],
  topologies: [
    { name: 'two', owner: 'bob', bridges: ['private0', 'external'], declared: ['private1', 'private2'] },
  ],
}
const PORTS = [
  { bridge: 'own', name: 'nic:eth1', up: true },
  { bridge: 'two/private0', name: 'h1:em1', up: true },
  { bridge: 'two/private0', name: 'tunnel:ann@site', up: true },
  { bridge: 'two/private0', name: 'tunnel:bob@site', up: false },
  { bridge: 'two/private0', name: 'plug:carl@192.0.2.1', up: true },
  { bridge: 'two/private0', name: 'vde:/tmp/sw', up: true },
  { bridge: 'two/private2', name: 'tunnel:ann@site', up: true },
  { bridge: 'two/external', name: 'h1:em0', up: true },
]

it('has the bridges with an interface, and those that somebody has joined', () => {
  expect(connectorsOf(NAMES, PORTS, false)).toEqual([
    { bridge: 'own', topology: null, ports: 1, connected: [], refusal: '' },
    {
      bridge: 'two/private0',
      topology: 'two',
      ports: 5,
      connected: ['ann@site', 'carl@192.0.2.1'],
      refusal: '',
    },
    { bridge: 'two/private2', topology: 'two', ports: 1, connected: ['ann@site'], refusal: '' },
  ])
})

it('has all that are named when it is asked to, and says which nobody may join', () => {
  const all = connectorsOf(NAMES, PORTS, true)
  expect(all.map(({ bridge, refusal }) => [bridge, refusal === ''])).toEqual([
    ['own', true],
    ['two/private0', true],
    ['two/private2', true],
    ['two/external', false],
    ['two/private1', true],
    ['two/dead', false],
  ])
})

it('does not take everything for ports', () => {
  expect(() => parseConnected([{ bridge: 1 }])).toThrow('cannot read')
})
