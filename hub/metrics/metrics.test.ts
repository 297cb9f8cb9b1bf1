import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MetricFamily } from '#hub/metrics/exposition.ts'
import { formatMetrics, parseFabricCounters } from '#hub/metrics/metrics.ts'
import { parsePrometheusText, valueOf } from '#test/support/prometheus-text.ts'

const SELF = { version: '0.1.0', memoryOctets: 50_000_000 }
const counters = {
  inFrames: 7,
  inOctets: 700,
  outFrames: 2 ** 53 - 1,
  outOctets: 0,
  inDrops: { loss: 3 },
  outDrops: { rate: 4, 'queue-full': 5 },
}
const port = {
  bridge: 'private0',
  number: 1,
  name: 'nic:eth1',
  description: 'nic:eth1',
  up: true,
  addresses: 2,
}
const FABRIC = {
  memoryOctets: 90_000_000,
  bridges: [{ bridge: 'private0', addresses: 3, capacity: 16_384, evicted: 1, refused: 0 }],
  ports: [
    { ...port, counters },
    { ...port, number: 2, name: '', description: 'ann@vm "x"\\\n', up: false, counters },
    { ...port, number: 3, name: 'vde:ann', description: 'vdeplug: user=ann pid=16252', counters },
  ],
  vlans: [{ bridge: 'private0', vlans: [{ vlan: 10, tpid: 0x88a8, addresses: 1, frames: 8, octets: 900 }] }],
}

const HUB = { topology: '', counters: parseFabricCounters(FABRIC) }

describe('formatMetrics', () => {
  it('tells what the fabric tells', () => {
    const samples = parsePrometheusText(formatMetrics([HUB], SELF))
    const value = (metric: string, labels?: Record<string, string>): number =>
      valueOf(samples, metric, labels)
    expect(value('hybridge_build_info', { version: '0.1.0' })).toBe(1)
    expect(value('hybridge_fabric_up')).toBe(1)
    expect(value('hybridge_process_resident_memory_bytes', { process: 'fabric' })).toBe(90_000_000)
    expect(value('hybridge_bridge_addresses', { bridge: 'private0' })).toBe(3)
    expect(value('hybridge_bridge_address_capacity')).toBe(16_384)
    expect(value('hybridge_bridge_addresses_evicted_total')).toBe(1)
    expect(value('hybridge_port_up', { port: '2', name: 'ann@vm "x"\\\n' })).toBe(0)
    expect(value('hybridge_port_addresses', { port: '3', name: 'vde:ann' })).toBe(2)
    const first = { bridge: 'private0', port: '1', name: 'nic:eth1' }
    expect(value('hybridge_port_frames_total', { ...first, direction: 'in' })).toBe(7)
    expect(value('hybridge_port_frames_total', { ...first, direction: 'out' })).toBe(2 ** 53 - 1)
    expect(value('hybridge_port_octets_total', { ...first, direction: 'in' })).toBe(700)
    expect(value('hybridge_port_drops_total', { ...first, direction: 'out', reason: 'queue-full' })).toBe(5)
    expect(value('hybridge_vlan_frames_total', { vlan: '10', tpid: '88a8' })).toBe(8)
  })

  it('says so when the fabric does not answer', () => {
    const samples = parsePrometheusText(formatMetrics([{ topology: '', counters: undefined }], SELF))
    expect(samples.map(({ metric }) => metric)).toEqual([
      'hybridge_build_info',
      'hybridge_fabric_up',
      'hybridge_process_resident_memory_bytes',
    ])
    expect(valueOf(samples, 'hybridge_fabric_up')).toBe(0)
  })

  it('has the fabrics of topologies in the same families, and says which one does not answer', () => {
    const ofTwo = {
      ...FABRIC,
      bridges: [{ ...FABRIC.bridges[0], bridge: 'two/private0' }],
      ports: [],
      vlans: [],
    }
    const two = { topology: 'two', counters: parseFabricCounters(ofTwo) }
    const samples = parsePrometheusText(
      formatMetrics([HUB, two, { topology: 'three', counters: undefined }], SELF),
    )
    const up = samples.filter(({ metric }) => metric === 'hybridge_fabric_up')
    expect(up.map(({ labels, value }) => [labels, value])).toEqual([
      [{}, 1],
      [{ topology: 'two' }, 1],
      [{ topology: 'three' }, 0],
    ])
    expect(valueOf(samples, 'hybridge_bridge_addresses', { bridge: 'two/private0' })).toBe(3)
    expect(valueOf(samples, 'hybridge_bridge_addresses', { bridge: 'private0' })).toBe(3)
    expect(valueOf(samples, 'hybridge_process_resident_memory_bytes', { process: 'two:fabric' })).toBe(
      90_000_000,
    )
  })

  it('reads no other answer', () => {
    for (const answer of [null, {}, { ...FABRIC, ports: [{ ...port, number: 'one' }] }])
      expect(() => parseFabricCounters(answer)).toThrow('is it another version?')
  })
})

describe('MetricFamily', () => {
  it('keeps any label as it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (label, value) => {
          const family = new MetricFamily('a_metric', 'gauge', 'Back\\slash\nand newline.')
          family.add({ label }, value)
          expect(parsePrometheusText(family.format())).toEqual([
            { metric: 'a_metric', labels: { label }, value: value + 0 },
          ])
        },
      ),
    )
  })

  it('is not there without samples', () => {
    expect(new MetricFamily('a_metric', 'gauge', 'x').format()).toBe('')
  })
})
