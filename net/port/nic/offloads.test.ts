import { describe, expect, it } from 'vitest'
import { chooseOffloads } from '#net/port/nic/offloads.ts'

const on = (name: string, changeable = true) => ({ name, active: true, changeable })
const NONE = { off: [], stuck: [] }

describe('chooseOffloads', () => {
  it('leaves alone what a bridge can live with', () => {
    const names = [
      'rx-checksum',
      'tx-checksum-ip-generic',
      'tx-scatter-gather',
      'tx-tcp-segmentation',
      'rx-gro',
    ]
    const features = [...names, 'rx-vlan-hw-parse', 'tx-vlan-hw-insert', 'rx-udp-gro-forwarding'].map((n) =>
      on(n),
    )
    expect(chooseOffloads(features, '6.2.0')).toEqual(NONE)
    expect(chooseOffloads([{ ...on('rx-lro'), active: false }], '6.2.0')).toEqual(NONE)
  })

  it('switches merging off that a virtio header cannot tell, and filters of VLANs', () => {
    const features = [on('rx-lro'), on('rx-gro-list'), on('rx-vlan-filter')]
    expect(chooseOffloads(features, '6.18.44').off).toEqual(['rx-lro', 'rx-gro-list', 'rx-vlan-filter'])
  })

  it.each(['5.10.0-28-amd64', '6.1.0-18-amd64'])('knows what Linux %s cannot express', (kernel) => {
    const features = [on('rx-udp-gro-forwarding'), on('tx-udp-segmentation')]
    expect(chooseOffloads(features, kernel).off).toEqual(['rx-udp-gro-forwarding', 'tx-udp-segmentation'])
    expect(chooseOffloads(features, '6.2.0')).toEqual(NONE)
  })

  it('tells of merging that is fixed, not of filters, which promiscuous mode opens', () => {
    const features = [on('rx-lro', false), on('rx-vlan-filter', false)]
    expect(chooseOffloads(features, '6.2.0')).toEqual({ off: [], stuck: ['rx-lro'] })
  })

  it('switches more off where asked', () => {
    expect(chooseOffloads([on('rx-gro')], '6.2.0', ['rx-gro', 'absent']).off).toEqual(['rx-gro'])
  })
})
