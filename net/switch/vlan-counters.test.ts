import { describe, expect, it } from 'vitest'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { VlanCounters } from '#net/switch/vlan-counters.ts'
import { vlanKey } from '#net/switch/vlan.ts'
import { GSO_TCPV4, putHeader } from '#net/wire/virtio.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { BROADCAST, frameOf, host, SwitchLab } from '#test/support/switch-lab.ts'

const START = 16
/** 20 octets of IPv4, 20 of TCP, 2500 of payload. */
const TCP = Uint8Array.from([
  ...Buffer.from('080045000a0c0000400040060000c0000201c0000202', 'hex'),
  ...Buffer.from('03e807d000000001000000025010000000000000', 'hex'),
  ...new Uint8Array(2500),
])

function memoryOf(frame: Uint8Array): FrameMemory {
  const memory = new FrameMemory(new Uint8Array(START + frame.length))
  memory.bytes.set(frame, START)
  return memory
}

describe('VlanCounters', () => {
  it('counts wire frames and octets apart for each key, from the first to the last', () => {
    const counters = new VlanCounters()
    const { bytes } = memoryOf(frameOf(BROADCAST, host(1), ''))
    const keys = [0, 4095, vlanKey(0x88a8, 10), vlanKey(0x9200, 4094)]
    for (const key of keys) counters.count(key, bytes, START, START + 60)
    counters.count(0, bytes, START, START + 100)
    expect(keys.map((key) => [counters.frames(key), counters.octets(key)])).toEqual([
      [2, 160],
      [1, 60],
      [1, 60],
      [1, 60],
    ])
    expect([counters.frames(10), counters.octets(10)]).toEqual([0, 0])
    counters.reset()
    expect(keys.map((key) => counters.frames(key))).toEqual([0, 0, 0, 0])
  })

  it('counts a super-frame as the frames that it stands for', () => {
    const counters = new VlanCounters()
    const { bytes } = memoryOf(frameOf(host(2), host(1), '8100.10', TCP))
    putHeader(bytes, START, 0, GSO_TCPV4, 0, 1000, 0, 0)
    counters.count(10, bytes, START, bytes.length)
    expect([counters.frames(10), counters.octets(10)]).toEqual([3, 3 * (18 + 40) + 2500])
  })

  it('allocates nothing', () => {
    const counters = new VlanCounters()
    const { bytes } = memoryOf(frameOf(BROADCAST, host(1), ''))
    expect(bytesPerCall(() => counters.count(10, bytes, START, START + 60))).toBeLessThan(1)
  })
})

describe('the VLANs of a switch', () => {
  const row = { untagged: [], tagged: [], addresses: 0, frames: 0, octets: 0 }

  it('are those seen, and those that ports name', () => {
    const lab = new SwitchLab([
      'mode=transparent',
      'mode=access,vlan=10',
      'mode=trunk,native=10,tagged=20',
      'mode=trunk',
      'mode=tunnel,qnq=100,tpid=88a8,tagged=1-65',
    ])
    expect(lab.bridge.vlans()).toEqual([
      { ...row, vlan: 10, tpid: 0x8100, untagged: [2, 3], tagged: [4, 5] },
      { ...row, vlan: 20, tpid: 0x8100, tagged: [3, 4, 5] },
      { ...row, vlan: 100, tpid: 0x88a8, untagged: [5] },
    ])
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''))
    lab.port(2).inject(frameOf(BROADCAST, host(2), '8100.0p5'))
    lab.port(4).inject(frameOf(BROADCAST, host(4), '8100.20'))
    lab.port(4).inject(frameOf(BROADCAST, host(5), '8100.300'))
    expect(
      lab.bridge.vlans().map(({ vlan, addresses, frames, octets }) => [vlan, addresses, frames, octets]),
    ).toEqual([
      [0, 1, 1, 60],
      [10, 1, 1, 64],
      [20, 1, 1, 64],
      [300, 1, 1, 64],
      [100, 0, 0, 0],
    ])
  })

  it('count each frame that was taken once, however many ports it went to, and no dropped one', () => {
    const lab = new SwitchLab(['mode=access,vlan=10', 'mode=trunk,tagged=10', 'mode=transparent'])
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''))
    lab.port(1).inject(frameOf(BROADCAST, host(1), '8100.10'))
    lab.port(2).inject(frameOf(host(1), host(2), '8100.10'))
    lab.port(2).inject(frameOf(host(1), host(2), '8100.11'))
    lab.port(3).inject(new Uint8Array(5))
    expect(lab.bridge.vlans().map(({ vlan, frames, octets }) => [vlan, frames, octets])).toEqual([
      [10, 2, 124],
    ])
    lab.bridge.vlanCounters.reset()
    expect(lab.bridge.vlans().map(({ vlan, frames, octets }) => [vlan, frames, octets])).toEqual([[10, 0, 0]])
  })
})
