/** A peer that says anything: the tunnel session ends with a reason or goes on, and never hands on what is not framed. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ProtocolError } from '#net/base/errors.ts'
import { MAX_FRAME_PAYLOAD, RECORD_FRAME } from '#net/tunnel/framing.ts'
import { encodeHello, type Hello } from '#net/tunnel/hello.ts'
import { TunnelSession } from '#net/tunnel/session.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'

const HELLO: Hello = {
  version: 1,
  name: 'a',
  largestFrame: 9216,
  superFrames: true,
  latencyControl: true,
  keepaliveMs: 2000,
  key: 'k',
}

const record = (type: number, length: number, payload: Uint8Array): Uint8Array =>
  Uint8Array.from([type, length >>> 16, (length >>> 8) & 255, length & 255, ...payload])

/** Octets that are nearly a conversation. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constant(record(2, encodeHello(HELLO).length, encodeHello(HELLO))),
  fc.tuple(fc.nat(7), fc.uint8Array({ maxLength: 64 })).map(([type, p]) => record(type, p.length, p)),
  fc.tuple(fc.nat(7), fc.nat(0xffffff), fc.uint8Array({ maxLength: 16 })).map(([t, l, p]) => record(t, l, p)),
  fc
    .json()
    .map((text) => new TextEncoder().encode(text))
    .map((p) => record(2, p.length, p)),
  fc
    .json()
    .map((text) => new TextEncoder().encode(text))
    .map((p) => record(5, p.length, p)),
)

it(
  'a session survives any octets, cut anywhere',
  () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.array(fc.nat(50), { minLength: 1, maxLength: 40 }),
        fc.boolean(),
        (pieces, cuts, greets) => {
          const stream = Buffer.concat([
            ...(greets ? [record(2, encodeHello(HELLO).length, encodeHello(HELLO))] : []),
            ...pieces,
          ])
          let hellos = 0
          const ends: unknown[] = []
          const frames: Buffer[] = []
          const session = new TunnelSession(
            HELLO,
            {
              onHello: () => {
                hellos++
                session.greet()
              },
              onFrames: (chunk, start, end) => {
                expect(ends).toHaveLength(0)
                frames.push(Buffer.from(chunk.slice(start, end)))
              },
              onPong: () => {},
              onEnd: (reason) => ends.push(reason),
            },
            0,
          )
          let now = 0
          for (let at = 0, i = 0; at < stream.length; i++) {
            const next = Math.min(stream.length, at + 1 + (cuts[i % cuts.length] ?? 0))
            session.receive(stream, at, next, ++now)
            at = next
          }
          // What was handed on is a stream of frame records, the last one perhaps not whole.
          const all = Buffer.concat(frames)
          for (let at = 0; at + 4 <= all.length;) {
            expect(all[at]).toBe(RECORD_FRAME)
            const length = all.readUIntBE(at + 1, 3)
            expect(length).toBeLessThanOrEqual(MAX_FRAME_PAYLOAD)
            at += 4 + length
          }
          let waiting = 0
          for (let out = session.pollTransmit(); out; out = session.pollTransmit()) waiting += out.length
          expect(waiting).toBeLessThan(4096)
          expect(hellos).toBeLessThanOrEqual(1)
          expect(ends.length).toBeLessThanOrEqual(1)
          for (const reason of ends) expect(reason).toBeInstanceOf(ProtocolError)
        },
      ),
      budget(),
    )
  },
  TIMEOUT_MS,
)
