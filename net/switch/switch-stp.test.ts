/** What the spanning tree asks of a switch: BPDUs are taken out, and states gate learning and forwarding. */
import { describe, expect, it } from 'vitest'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { BROADCAST, frameOf, host, SwitchLab } from '#test/support/switch-lab.ts'

const BRIDGES = 0x0180_c200_0000
const BODY = Uint8Array.from([0, 39, 0x42, 0x42, 3, ...Array<number>(43).fill(0)])
const BPDU = frameOf(BRIDGES, host(9), '', BODY)

const lab = (modes: readonly string[] = []): SwitchLab =>
  new SwitchLab(Array.from({ length: 3 }, (_, i) => modes[i] ?? 'mode=transparent'))

/** Takes BPDUs as `port:octets`. */
function sink(one: SwitchLab): string[] {
  const taken: string[] = []
  one.bridge.bpduSink = {
    bpdu: (entry, _b, start, end) => taken.push(`${entry.number}:${end - start}`),
  }
  return taken
}

describe('BPDUs', () => {
  it('pass while nobody takes them, and go no further when somebody does', () => {
    const one = lab()
    one.port(1).inject(BPDU)
    expect(one.take().map((frames) => frames.length)).toEqual([0, 1, 1])
    const taken = sink(one)
    one.port(1).inject(BPDU)
    expect(one.take().map((frames) => frames.length)).toEqual([0, 0, 0])
    expect(taken).toEqual(['1:60'])
    expect(one.entry(1).counters.read().inDrops).toEqual({})
  })

  it('are taken whatever mode and state the port has; tagged ones and other protocols are not BPDUs', () => {
    const one = lab(['mode=trunk,native=none', 'mode=access,vlan=5', 'mode=tunnel,qnq=7,strict=1'])
    const taken = sink(one)
    one.bridge.setStpState(one.entry(2), 'discarding')
    for (const n of [1, 2, 3]) one.port(n).inject(BPDU)
    expect(taken).toEqual(['1:60', '2:60', '3:60'])
    const two = lab()
    const none = sink(two)
    two.port(1).inject(frameOf(BRIDGES, host(9), '8100.5', BODY))
    two.port(1).inject(frameOf(BRIDGES, host(9), ''))
    two.port(1).inject(frameOf(BRIDGES + 1, host(9), '', BODY))
    two.port(1).inject(BPDU.subarray(0, 16))
    expect(none).toEqual([])
    expect(two.take().map((frames) => frames.length)).toEqual([0, 4, 4])
  })

  it('of the switch leave by one port, untagged, whatever its state and mode', () => {
    const one = lab(['mode=trunk,native=none'])
    one.bridge.setStpState(one.entry(1), 'discarding')
    const memory = new FrameMemory(new Uint8Array(200))
    memory.bytes.set(BPDU, 32)
    one.bridge.originate(one.entry(1), memory, 32, 32 + BPDU.length)
    expect(one.take()).toEqual([[BPDU], [], []])
  })
})

describe('a port that is', () => {
  it('discarding neither learns nor forwards, and is sent nothing', () => {
    const one = lab()
    one.tagsAfter(2, frameOf(BROADCAST, host(2), ''))
    one.bridge.setStpState(one.entry(2), 'discarding')
    expect(one.bridge.table.count(2)).toBe(0)
    expect(one.tagsAfter(2, frameOf(BROADCAST, host(2), ''))).toEqual([null, null, null])
    expect(one.entry(2).counters.read().inDrops).toEqual({ stp: 1 })
    expect(one.bridge.table.count(2)).toBe(0)
    expect(one.tagsAfter(1, frameOf(host(2), host(1), ''))).toEqual([null, null, ''])
    expect(one.tagsAfter(1, frameOf(BROADCAST, host(1), ''))).toEqual([null, null, ''])
    expect(one.entry(2).counters.read().outDrops).toEqual({})
  })

  it('learning learns, and does not forward', () => {
    const one = lab()
    one.bridge.setStpState(one.entry(2), 'learning')
    expect(one.tagsAfter(2, frameOf(BROADCAST, host(2), '8100.10'))).toEqual([null, null, null])
    expect(one.bridge.addresses()).toMatchObject([{ port: 2, vlan: 10 }])
    expect(one.tagsAfter(1, frameOf(host(2), host(1), '8100.10'))).toEqual([null, null, null])
    one.bridge.setStpState(one.entry(2), 'forwarding')
    expect(one.tagsAfter(1, frameOf(host(2), host(1), '8100.10'))).toEqual([null, '8100.10', null])
  })

  it('blocked is so in every mode, and with super-frames to be cut', () => {
    const one = lab(['mode=access,vlan=10', 'mode=trunk,native=none', 'mode=access,vlan=10'])
    one.bridge.setStpState(one.entry(3), 'discarding')
    expect(one.tagsAfter(1, frameOf(BROADCAST, host(1), ''))).toEqual([null, '8100.10', null])
    one.bridge.setStpState(one.entry(2), 'learning')
    expect(one.tagsAfter(2, frameOf(BROADCAST, host(2), '8100.10'))).toEqual([null, null, null])
    expect(one.bridge.table.count(2)).toBe(1)
    expect(one.tagsAfter(1, frameOf(host(2), host(1), ''))).toEqual([null, null, null])
  })

  it('forwarding costs nothing per frame, with a sink too', () => {
    const one = lab()
    sink(one)
    const octets = frameOf(host(2), host(1), '')
    const memory = new FrameMemory(new Uint8Array(200))
    memory.bytes.set(octets, 32)
    one.port(2).inject(frameOf(BROADCAST, host(2), ''))
    const entry = one.entry(1)
    const port = one.entry(2).port
    if (port !== null) port.send = () => {}
    expect(bytesPerCall(() => entry.frame(memory, 32, 32 + octets.length))).toBeLessThan(1)
  })
})
