/** Two ends of a measurement, joined without SSH. */
import { Duplex } from 'node:stream'
import { afterEach, expect, it } from 'vitest'
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
    const load = new Load({
      channel,
      socket: new QuietConnection(),
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
  let ended = (): void => {}
  const end = new Promise<void>((resolve) => (ended = resolve))
  const [sender, sink] = pair({}, { onControl: (type) => type === RECORD_BYE && ended() })
  await sender.send(50)
  sender.write(controlRecord(RECORD_BYE, new Uint8Array()))
  await end
  const { octets, ms } = sink.arrived
  expect(octets).toBeGreaterThan(1000)
  expect(ms).toBeGreaterThan(0)
  expect(sender.arrived).toEqual({ octets: 0, ms: 0 })
})

it('times pings, also while it sends', async () => {
  const times: number[] = []
  let answered = (): void => {}
  const answer = new Promise<void>((resolve) => (answered = resolve))
  const [sender] = pair({ onRoundTrip: (ms) => times.push(ms) && answered() }, {})
  const sent = sender.send(10_000)
  sender.ping()
  await answer
  sender.close()
  await sent
  expect(times[0]).toBeGreaterThan(0)
})

it('reads no further when what comes is no record', async () => {
  let fault: unknown
  let ended = (): void => {}
  const end = new Promise<void>((resolve) => (ended = resolve))
  const [, sink, wire] = pair(
    {},
    {
      onFault: (error) => {
        fault = error
        ended()
      },
    },
  )
  wire.write(Buffer.alloc(64, 0xff))
  await end
  expect(fault).toMatchObject({ code: 'frame-length' })
  expect(sink.arrived.octets).toBe(0)
})
