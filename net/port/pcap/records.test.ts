import { describe, expect, it } from 'vitest'
import { ProtocolError } from '#net/base/errors.ts'
import { DROP_IO, DROP_LINK_DOWN, DROP_QUEUE_FULL, DROP_TOO_BIG, PortCounters } from '#net/port/counters.ts'
import {
  CountsReader,
  countsPayload,
  failurePayload,
  limitPayload,
  parseFailure,
  parseLimit,
} from '#net/port/pcap/records.ts'

describe('records of a pcap process', () => {
  it('keep a limit and a failure', () => {
    expect(parseLimit(limitPayload(9246))).toBe(9246)
    const failure = { code: 'EPERM', message: 'no “right”' }
    expect(parseFailure(failurePayload(failure))).toEqual(failure)
  })

  it('add what is new in the counts, beyond 32 bits, and account for every frame', () => {
    const child = new PortCounters()
    const port = new PortCounters()
    port.dropOut(DROP_LINK_DOWN, 7)
    const reader = new CountsReader()
    child.outFrames = 5e9
    child.outOctets = 6e12
    child.dropIn(DROP_TOO_BIG, 3)
    reader.add(countsPayload(child), port)
    reader.add(countsPayload(child), port)
    child.outFrames += 2
    child.outOctets += 120
    child.dropOut(DROP_IO, 4)
    child.dropIn(DROP_QUEUE_FULL, 1)
    reader.add(countsPayload(child), port)
    expect(port.read()).toEqual({
      inFrames: 0,
      inOctets: 0,
      outFrames: 5e9 + 2,
      outOctets: 6e12 + 120,
      inDrops: { 'too-big': 3, 'queue-full': 1 },
      outDrops: { 'link-down': 7, io: 4 },
    })
    expect(reader.accounted).toBe(5e9 + 6)
  })

  it('add to one port what several processes count in turn', () => {
    const port = new PortCounters()
    for (let i = 0; i < 3; i++) {
      const child = new PortCounters()
      child.outFrames = 10
      new CountsReader().add(countsPayload(child), port)
    }
    expect(port.outFrames).toBe(30)
  })

  it.each([
    ['LIMIT', () => parseLimit(new Uint8Array(3))],
    ['FAILED', () => parseFailure(new TextEncoder().encode('{'))],
    ['FAILED', () => parseFailure(new TextEncoder().encode('[]'))],
    ['COUNTS', () => new CountsReader().add(new Uint8Array(8), new PortCounters())],
  ])('are refused when malformed: %s', (name, read) => {
    expect(read).toThrow(ProtocolError)
    expect(read).toThrow(name)
  })
})
