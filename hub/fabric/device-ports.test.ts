import { afterEach, beforeEach, expect, it } from 'vitest'
import type { FabricDevice } from '#hub/fabric/device-ports.ts'
import { Fabric } from '#hub/fabric/fabric.ts'

let fabric: Fabric

const device = (name: string, ...bridges: (string | null)[]): FabricDevice => ({
  name,
  directory: '/nowhere',
  interfaces: bridges.map((bridge, i) => ({
    name: `em${i}`,
    bridge,
    settings: bridge ? { storm: '9' } : {},
  })),
})

beforeEach(() => {
  fabric = new Fabric(
    {
      bridges: [{ name: 't/lan' }, { name: 't/core' }],
      attach: [],
      devices: [device('h1', 't/lan', null, 't/core'), device('h2', 't/core'), device('h2', 't/core')],
    },
    () => {},
    () => performance.now(),
  )
})
afterEach(() => fabric.close())

it('has ports for connected interfaces from the start, in the order of the file, as they are set', () => {
  const rows = fabric.ports().map(({ bridge, number, description, up, settings }) => ({
    port: `${bridge} ${number} ${description}`,
    up,
    settings,
  }))
  const down = { up: false, settings: { storm: '9' } }
  expect(rows).toEqual([
    { port: 't/lan 1 h1:em0', ...down },
    { port: 't/core 1 h1:em2', ...down },
    { port: 't/core 2 h2:em0', ...down },
    { port: 't/core 3 h2:em0', ...down },
  ])
})

it('a port goes by its number or by what is plugged in, unless that is two', () => {
  fabric.setPort('t/core', 'h1:em2', { link: 'down' })
  fabric.setPort('t/core', 2, { storm: 'off' })
  expect(fabric.ports('t/core').map(({ settings }) => settings)).toEqual([
    { storm: '9', link: 'down' },
    {},
    { storm: '9' },
  ])
  expect(() => fabric.setPort('t/core', 'h2:em0', {})).toThrow('more than one port h2:em0: say its number')
  expect(() => fabric.setPort('t/core', 'h3:em0', {})).toThrow('no port h3:em0; ports: 1, 2, 3')
  expect(() => fabric.setPort('t/core', '2', {})).toThrow('no port 2')
})
