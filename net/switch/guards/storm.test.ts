import { describe, expect, it } from 'vitest'
import { ConfigError } from '#net/base/errors.ts'
import { setGuard } from '#net/switch/guards/port-guard.ts'
import { parseStorm } from '#net/switch/guards/storm.ts'
import { BROADCAST, frameOf, host, SwitchLab } from '#test/support/switch-lab.ts'

const GROUP = 0x0100_5e00_0001

describe('parseStorm', () => {
  it('reads a rate or off', () => {
    expect(['1', '1000', '10000000', 'off'].map(parseStorm)).toEqual([1, 1000, 10_000_000, null])
  })

  it.each(['', '0', '-1', '1.5', '1e3', '10000001', 'on', ' 5'])('refuses "%s"', (text) => {
    expect(() => parseStorm(text)).toThrow(ConfigError)
  })
})

function labWith(storm: number): SwitchLab {
  const lab = new SwitchLab(['mode=transparent', 'mode=transparent'])
  setGuard(lab.entry(1), { storm })
  return lab
}
const passed = (lab: SwitchLab, to: number, count: number): number => {
  lab.port(1).injectBatch(Array.from({ length: count }, () => frameOf(to, host(1), '')))
  return lab.take()[1]?.length ?? 0
}

describe('storm control', () => {
  it('lets so many broadcast and multicast frames through a second, and counts the others', () => {
    const lab = labWith(10)
    expect([passed(lab, BROADCAST, 7), passed(lab, GROUP, 7), passed(lab, BROADCAST, 7)]).toEqual([7, 3, 0])
    expect(lab.entry(1).counters.read().inDrops).toEqual({ storm: 11 })
    lab.bridge.tick(1000)
    expect(passed(lab, GROUP, 20)).toBe(10)
  })

  it('leaves unicast frames alone, known or not', () => {
    const lab = labWith(1)
    expect(passed(lab, host(9), 50)).toBe(50)
    expect(passed(lab, BROADCAST, 2)).toBe(1)
    expect(passed(lab, host(9), 50)).toBe(50)
  })

  it('is of one port, and ends', () => {
    const lab = labWith(1)
    lab.port(2).injectBatch(Array.from({ length: 5 }, () => frameOf(BROADCAST, host(2), '')))
    expect(lab.take()[0]?.length).toBe(5)
    setGuard(lab.entry(1), { storm: null })
    expect(lab.entry(1).guard).toBeNull()
    expect(passed(lab, BROADCAST, 50)).toBe(50)
  })

  it('counts a super-frame as the frames that it stands for', () => {
    const lab = labWith(4)
    const headers = '45000fff000000000011000001020304e00000fb14e914e907d00000'
    const body = Uint8Array.from([0x08, 0x00, ...Buffer.from(headers, 'hex'), ...new Uint8Array(300)])
    const virtio = {
      flags: 1,
      gsoType: 5,
      headerLength: 42,
      gsoSize: 100,
      checksumStart: 34,
      checksumOffset: 6,
    }
    lab.port(1).inject(frameOf(GROUP, host(1), '', body), virtio)
    lab.port(1).inject(frameOf(GROUP, host(1), '', body), virtio)
    expect(lab.take()[1]?.length).toBe(1)
    expect(lab.entry(1).counters.read().inDrops).toEqual({ storm: 3 })
  })
})
