/** Clients of VDE that say anything: a request is refused or understood, a stream ends or goes on, whatever the cuts. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ProtocolError } from '#net/base/errors.ts'
import { decodeRequest, encodeRequest } from '#net/port/vde/handshake.ts'
import { VdeStreamReader } from '#net/port/vde/stream.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'

const MAGIC = Uint8Array.of(0xce, 0xfa, 0xed, 0xfe)

const nearlyRequest = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 260 }).map((rest) => Uint8Array.of(...MAGIC, ...rest)),
  fc
    .tuple(fc.nat(2), fc.nat(0xffffff), fc.nat(2), fc.uint8Array({ maxLength: 250 }))
    .map(([type, port, family, rest]) =>
      Uint8Array.of(...MAGIC, 3, 0, 0, 0, type, port, port >> 8, port >> 16, family, 0, ...rest),
    ),
)

it(
  'a request is refused for a reason, or means what can be sent again',
  () => {
    fc.assert(
      fc.property(nearlyRequest, (octets) => {
        try {
          const request = decodeRequest(octets)
          expect(request.address).toHaveLength(110)
          expect(request.description).toMatch(/^[^\p{C}]{0,127}$/u)
          const again = decodeRequest(encodeRequest(request))
          expect(again.address).toEqual(request.address)
          expect(again.port).toBe(request.port)
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error
        }
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)

/** What a plain reader makes of the whole stream: the frames before its fault, if it has one. */
function model(stream: Uint8Array): { frames: Buffer[]; isBroken: boolean } {
  const octets = Buffer.from(stream)
  const frames: Buffer[] = []
  for (let at = 0; at + 2 <= octets.length;) {
    const length = octets.readUInt16BE(at)
    if (length > 9234) return { frames, isBroken: true }
    if (at + 2 + length > octets.length) break
    if (length > 0) frames.push(octets.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return { frames, isBroken: false }
}

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 200 }).map((f) => Uint8Array.of(0, f.length, ...f)) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 6 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 }).map((high) => Uint8Array.of(high, 0xff)) },
)

it(
  'a stream gives the frames that a plain reader finds, wherever it is cut',
  () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 20 }),
        (pieces, sizes) => {
          const stream = Buffer.concat(pieces)
          const { frames, isBroken } = model(stream)
          const read: Buffer[] = []
          const reader = new VdeStreamReader((octets, start, end) =>
            read.push(Buffer.from(octets.slice(start, end))),
          )
          let fault: unknown
          for (let at = 0, i = 0; at < stream.length && fault === undefined; i++) {
            const next = at + (sizes[i % sizes.length] ?? 1)
            try {
              reader.read(stream.subarray(at, next))
            } catch (error) {
              fault = error
            }
            at = next
          }
          expect(fault instanceof ProtocolError).toBe(isBroken)
          expect(read).toEqual(frames)
        },
      ),
      budget(),
    )
  },
  TIMEOUT_MS,
)
