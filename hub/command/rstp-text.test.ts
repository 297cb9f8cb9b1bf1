import { describe, expect, it } from 'vitest'
import { formatRstp, parseRstp } from '#hub/command/rstp-text.ts'

const port = {
  number: 1024,
  name: `tunnel:${'x'.repeat(60)}@y`,
  role: 'designated',
  state: 'discarding',
  cost: 200_000_000,
  edge: false,
  pointToPoint: false,
  rstp: false,
  designatedBridge: '32768.02:00:00:00:00:01',
  designatedPort: '128.1024',
  rcvdBpdus: 123_456_789_012,
  badBpdus: 123_456_789,
  sentBpdus: 123_456_789_012,
}
const bridge = {
  bridge: 'private0',
  enabled: true,
  bridgeId: '32768.02:00:00:00:00:01',
  root: '4096.02:00:00:00:00:02',
  rootPort: 3,
  rootCost: 20_000,
  topologyChanges: 2,
  secondsSinceChange: 17,
  hello: 2,
  maxAge: 20,
  forwardDelay: 15,
  ports: [port, { ...port, number: 2, role: 'disabled', edge: true, rstp: true, badBpdus: 0 }],
}

describe('show rstp', () => {
  it('says who the root is and what each port does, in 80 columns', () => {
    const text = formatRstp(parseRstp([bridge]))
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(text).toContain('root    4096.02:00:00:00:00:02, through port 3, cost 20000')
    expect(text).toContain('topology changes 2, the last 17 s ago')
    expect(text).toMatch(/^1024  designated  discarding  200000000  shared stp  tunnel:x+…$/m)
    expect(text).toContain('      designated 32768.02:00:00:00:00:01 port 128.1024')
    expect(text).toMatch(/^ {3}2 {2}disabled/m)
  })

  it('says how to switch it on where it is off, and who is the root by itself', () => {
    expect(formatRstp([{ ...bridge, enabled: false }])).toBe(
      'private0: off (hybridge bridge set private0 rstp=on)',
    )
    const alone = { ...bridge, rootPort: 0, secondsSinceChange: null, ports: [] }
    expect(formatRstp([alone])).toMatch(/this bridge\n.*\ntopology changes 2\nno ports$/)
  })
})
