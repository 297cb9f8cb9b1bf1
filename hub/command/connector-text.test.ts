import { expect, it } from 'vitest'
import {
  formatConnector,
  formatConnectors,
  parseConnector,
  parseConnectors,
} from '#hub/command/connector-text.ts'

const LONG = `two/${'x'.repeat(255)}`
const counters = { inFrames: 27, inOctets: 2358, outFrames: 1e15, outOctets: 1e18, inDrops: {}, outDrops: {} }
const port = {
  bridge: 'two/private0',
  number: 2,
  name: '',
  description: 'ann@site',
  up: false,
  mode: 'mode=transparent',
  untaggedVlan: 0,
  qnq: 0,
  strict: false,
  maxFrame: 1514,
  settings: {},
  counters,
}
const POINT = { bridge: 'two/private0', owner: '', ports: [port], refusal: '', hub: 'hub.example:2222' }

it('lists points in 80 columns', () => {
  const connected = Array.from({ length: 20 }, (_, i) => `ann@site${i}`)
  const rows = parseConnectors([
    { bridge: 'two/private0', topology: 'two', ports: 3, connected: ['ann@site'], refusal: '' },
    { bridge: LONG, topology: 'two', ports: 0, connected, refusal: '' },
    {
      bridge: 'two/external',
      topology: 'two',
      ports: 1,
      connected: [],
      refusal: 'it is the management network',
    },
  ])
  const lines = formatConnectors(rows).split('\n')
  expect(lines.map((line) => line.trimEnd().length <= 80)).toEqual([true, true, true, true])
  expect(lines[1]).toMatch(/^two\/private0 +3 {2}ann@site$/)
  expect(lines[3]).toMatch(/^two\/external +1 {2}\(nobody may join it\)$/)
  expect(formatConnectors([])).toContain('no connector points')
})

it('shows ports of a point in 80 columns, and the command that joins it, whole', () => {
  const text = formatConnector(parseConnector({ ...POINT, bridge: LONG, owner: 'bob' }))
  const [name, head = '', row = '', empty, command] = text.split('\n')
  expect([name, empty, command]).toEqual([LONG, '', `hconnect -u bob -b ${LONG} -s hub.example:2222`])
  expect(head).toMatch(/^port {2}name +state {2}packets in +bytes in {2}packets out +bytes out$/)
  expect(row).toMatch(/^ {3}2 {2}ann@site +down +27 +2358 +1000000\.0G +1000000\.0T$/)
  expect(Math.max(head.length, row.length)).toBeLessThanOrEqual(80)
  expect(formatConnector(parseConnector({ ...POINT, ports: [] }))).toBe(
    'two/private0\nno ports\n\nhconnect -u USER -b two/private0 -s hub.example:2222',
  )
  expect(formatConnector(parseConnector({ ...POINT, refusal: 'nobody may' }))).toMatch(/\n\nnobody may$/)
})
