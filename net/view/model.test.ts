import { describe, expect, it } from 'vitest'
import { ViewModel } from '#net/view/model.ts'
import type { PortRow } from '#net/view/port-track.ts'
import type { Snapshot } from '#net/view/source.ts'
import { port, snapshot, talker } from '#test/support/view-scene.ts'

const farPort = (at: number, inFrames: number): Snapshot =>
  snapshot(at, [], {
    bridges: [
      {
        name: 'far',
        isRemote: true,
        at: at < 4 ? 1000 : 4000,
        ports: [port(1, { inFrames, inOctets: inFrames * 100 })],
      },
    ],
  })

const rows = (model: ViewModel): PortRow[] => model.reading.bridges.flatMap(({ ports }) => ports)

describe('ViewModel', () => {
  it('reckons rates between snapshots, by their own clock', () => {
    const model = new ViewModel()
    model.add(snapshot(10, [port(1, { inFrames: 100, inOctets: 6400 })]))
    expect(rows(model)[0]?.in).toMatchObject({ frames: 100, octets: 6400, framesPerSecond: 0 })
    model.add(snapshot(12, [port(1, { inFrames: 120, inOctets: 8400, outFrames: 4, outOctets: 400 })]))
    expect(rows(model)[0]?.in).toMatchObject({ frames: 120, framesPerSecond: 10, octetsPerSecond: 1000 })
    expect(rows(model)[0]?.out).toMatchObject({ frames: 4, framesPerSecond: 2, octetsPerSecond: 200 })
    expect(rows(model)[0]?.history.columns('in', 300).slice(-3)).toEqual([0, 1000, 1000])
  })

  it('gives no rate when no time has passed', () => {
    const model = new ViewModel()
    model.add(snapshot(10, [port(1)]))
    model.add(snapshot(10, [port(1, { inFrames: 5 })]))
    expect(rows(model)[0]?.in).toMatchObject({ frames: 5, framesPerSecond: 0 })
  })

  it('keeps the rates of ports that were not read again, and reckons by the time when they were', () => {
    const model = new ViewModel()
    const rates = [farPort(1, 10), farPort(4, 40), farPort(5, 40)].map((one) => {
      model.add(one)
      return rows(model)[0]?.in.framesPerSecond
    })
    expect(rates).toEqual([0, 10, 10])
    expect(rows(model)[0]?.history.columns('in', 300).slice(-4)).toEqual([0, 1000, 1000, 1000])
  })

  it('sums drops and tells their reasons, most first', () => {
    const model = new ViewModel()
    model.add(snapshot(1, [port(1, { outDrops: { vlan: 2, delay: 7 } })]))
    expect(rows(model)[0]?.out).toMatchObject({
      drops: 9,
      reasons: [
        ['delay', 7],
        ['vlan', 2],
      ],
    })
    expect(rows(model)[0]?.in).toMatchObject({ drops: 0, reasons: [] })
  })

  it('counts from a reset on, at once and later', () => {
    const model = new ViewModel()
    model.add(snapshot(1, [port(1, { inFrames: 9, inOctets: 900, inDrops: { vlan: 3 } })]))
    model.reset()
    expect(rows(model)[0]?.in).toMatchObject({ frames: 0, octets: 0, drops: 0 })
    model.add(snapshot(2, [port(1, { inFrames: 10, inOctets: 1000, inDrops: { vlan: 4 } })]))
    expect(rows(model)[0]?.in).toMatchObject({ frames: 1, octets: 100, drops: 1, framesPerSecond: 1 })
  })

  it('takes counters that went back for new ones', () => {
    const model = new ViewModel()
    model.add(snapshot(1, [port(1, { inFrames: 1000 })]))
    model.reset()
    model.add(snapshot(2, [port(1, { inFrames: 30 })]))
    expect(rows(model)[0]?.in).toMatchObject({ frames: 30, framesPerSecond: 30 })
  })

  it('has ports that come and go, and knows them by their id', () => {
    const model = new ViewModel()
    model.add(snapshot(1, [port(1, { inFrames: 5 })]))
    model.add(snapshot(2, [port(1, { inFrames: 6 }), port(2, { inFrames: 70 })]))
    expect(rows(model).map(({ in: { framesPerSecond } }) => framesPerSecond)).toEqual([1, 0])
    model.add(snapshot(3, [port(1, { inFrames: 80 }, { id: '2' })]))
    expect(rows(model).map(({ in: { framesPerSecond } }) => framesPerSecond)).toEqual([10])
  })

  it('makes texts of others fit for a terminal', () => {
    const model = new ViewModel()
    const name = '\u001b]0;x\u0007'
    model.add(snapshot(1, [port(1, {}, { name, description: name })], { talkers: [talker(name)] }))
    expect(JSON.stringify(model.reading)).not.toContain('\\u001b')
  })

  it('bounds what it keeps', () => {
    const model = new ViewModel()
    const ports = Array.from({ length: 5000 }, (_, i) => port(i))
    const talkers = Array.from({ length: 5000 }, (_, i) => talker(String(i)))
    model.add(snapshot(1, ports, { talkers }))
    expect([rows(model).length, model.reading.talkers?.length]).toEqual([4096, 4096])
  })

  it('reckons rates of talkers; one that is new began after the snapshot before', () => {
    const model = new ViewModel()
    model.add(snapshot(1, [], { talkers: [talker('a', { octets: 1000 })] }))
    model.add(snapshot(2, [], { talkers: [talker('a', { octets: 1500 }), talker('b', { octets: 70 })] }))
    expect(model.reading.talkers?.map(({ octetsPerSecond }) => octetsPerSecond)).toEqual([500, 70])
    model.reset()
    model.add(snapshot(3, [], { talkers: [talker('a', { octets: 1600 })] }))
    expect(model.reading.talkers).toMatchObject([{ octets: 100, octetsPerSecond: 100 }])
  })
})
