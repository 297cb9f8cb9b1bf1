/** Two ends of a measurement, joined without SSH. */
import { Duplex } from 'node:stream'
import { afterEach, expect, it } from 'vitest'
import { Milestone } from '#net/base/milestone.ts'
import { Load, type LoadOptions } from '#net/port/tunnel/load.ts'
import { controlRecord, RECORD_BYE } from '#net/tunnel/framing.ts'
import { QuietConnection } from '#test/support/window-channel.ts'

/** What is written to one comes out of the other, in the next turn. */
class Pipe extends Duplex {
  other: Pipe | undefined
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const copy = Buffer.from(chunk)
    setImmediate(() => {
      this.other?.push(copy)
      done()
    })
  }
}

const loads: Load[] = []
afterEach(() => {
  for (const one of loads.splice(0)) one.close()
})

function pair(a: Partial<LoadOptions>, b: Partial<LoadOptions>): [Load, Load, Pipe] {
  const left = new Pipe()
  const right = new Pipe()
  left.other = right
  right.other = left
  const make = (channel: Pipe, more: Partial<LoadOptions>): Load => {
    const socket = new QuietConnection()
    const load = new Load({
      channel,
      transport: { stream: socket, socket },
      onControl: () => {},
      onRoundTrip: () => {},
      onFault: (error) => {
        throw error
      },
      ...more,
    })
    loads.push(load)
    return load
  }
  return [make(left, a), make(right, b), left]
}

it('counts at one end what the other has sent, and tells of records between', async () => {
  const end = new Milestone<void>()
  const [sender, sink] = pair({}, { onControl: (type) => type === RECORD_BYE && end.pass() })
  await sender.send(50)
  sender.write(controlRecord(RECORD_BYE, new Uint8Array()))
  await end.reached
  const { octets, ms } = sink.arrived
  expect(octets).toBeGreaterThan(1000)
  expect(ms).toBeGreaterThan(0)
  expect(sender.arrived).toEqual({ octets: 0, ms: 0 })
})

it('times pings, also while it sends', async () => {
  const times: number[] = []
  const answer = new Milestone<void>()
  const [sender] = pair({ onRoundTrip: (ms) => times.push(ms) && answer.pass() }, {})
  const sent = sender.send(10_000)
  sender.ping()
  await answer.reached
  sender.close()
  await sent
  expect(times[0]).toBeGreaterThan(0)
})

it('reads no further when what comes is no record', async () => {
  let fault: unknown
  const end = new Milestone<void>()
  const [, sink, wire] = pair(
    {},
    {
      onFault: (error) => {
        fault = error
        end.pass()
      },
    },
  )
  wire.write(Buffer.alloc(64, 0xff))
  await end.reached
  expect(fault).toMatchObject({ code: 'frame-length' })
  expect(sink.arrived.octets).toBe(0)
})
