/**
 * What strangers and users say to captures and guards: words of a request, filters, frames. Nothing throws but an error
 * for people, nothing reads beyond a frame, and each answers in bounded time.
 */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ConfigError, ProtocolError } from '#net/base/errors.ts'
import { Capture } from '#net/capture/capture.ts'
import { Filter } from '#net/capture/filter.ts'
import { BlockStream } from '#net/pcapng/block-stream.ts'
import { DROP_REASON_COUNT } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { Block, parseBlock } from '#net/switch/guards/block.ts'
import { Switch } from '#net/switch/switch.ts'
import { CaptureRequest } from '#hub/base/capture-request.ts'
import { parseCommand } from '#hub/gateway/commands.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'
import { FILTER_FRAMES } from '#test/support/filter-frames.ts'
import { readPcapng } from '#test/support/pcapng.ts'

const WORDS =
  'and or not ( ) && || ! src dst host net port portrange ether proto vlan arp ip ip6 icmp6 tcp udp broadcast multicast less greater'
    .concat(' 10.0.0.1 80 10.0.0.0/8 fd00::1 fd00::/16 0x88cc 1-80 02:00:00:00:00:01 4096  :: / __proto__')
    .split(' ')
const filterText = fc.oneof(
  fc
    .array(fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...WORDS) }, fc.string({ maxLength: 6 })), {
      maxLength: 40,
    })
    .map((words) => words.join(' ')),
  fc.string({ maxLength: 1200 }),
)

/** Real frames, cut and changed, and any octets. */
const frame = fc
  .tuple(
    fc.constantFrom(...Object.values(FILTER_FRAMES)),
    fc.nat(1500),
    fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 6 }),
    fc.uint8Array({ maxLength: 60 }),
  )
  .map(([octets, length, changes, more]) => {
    const frameOctets = Uint8Array.from([...octets.subarray(0, length), ...more])
    for (const [at, value] of changes) if (at < frameOctets.length) frameOctets[at] = value
    return frameOctets
  })

/** The filter of a text, null when it is refused. */
function filterOf(text: string): Filter | null {
  try {
    return new Filter(text)
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}

it(
  'any text is a filter or refused, and a filter looks at no octet beyond the frame',
  () => {
    fc.assert(
      fc.property(filterText, fc.array(frame, { minLength: 1, maxLength: 5 }), (text, frames) => {
        const filter = filterOf(text)
        for (const octets of frames) {
          const answers = [0, 255].map((filler) => {
            const memory = new Uint8Array(octets.length + 64).fill(filler)
            memory.set(octets, 32)
            return filter?.matches(memory, 32, 32 + octets.length)
          })
          expect(answers[0]).toBe(answers[1])
        }
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)

it(
  'guards take any frame and look at no octet beyond it',
  () => {
    const block = new Block(parseBlock('dhcp+ra+bpdu+pause'))
    fc.assert(
      fc.property(
        fc
          .oneof(frame, fc.uint8Array({ minLength: 14, maxLength: 200 }))
          .filter(({ length }) => length >= 14),
        fc.constantFrom('', '81000000', '88a80001', '0008aaaa03000000'),
        (octets, layer) => {
          const whole = Uint8Array.from([
            ...octets.subarray(0, 12),
            ...Buffer.from(layer, 'hex'),
            ...octets.subarray(12),
          ])
          const answers = [0, 255].map((filler) => {
            const memory = new Uint8Array(whole.length + 64).fill(filler)
            memory.set(whole, 32)
            return block.check(memory, 32, 32 + whole.length)
          })
          expect(answers[0]).toBe(answers[1])
          expect(answers[0]).toBeLessThan(DROP_REASON_COUNT)
        },
      ),
      budget(),
    )
  },
  TIMEOUT_MS,
)

it(
  'a capture of any frames is a file',
  () => {
    const bridge = new Switch({ name: 'fuzz', hashSeed: 1 })
    const entry = bridge.addEntry()
    const packets = fc.tuple(
      frame,
      fc.nat(1),
      fc.integer({ min: -1, max: DROP_REASON_COUNT - 1 }),
      fc.uint8Array({ minLength: 10, maxLength: 10 }),
    )
    fc.assert(
      fc.property(
        fc.array(packets, { maxLength: 20 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.nat(3000),
        (shown, snapLength, read) => {
          const capture = new Capture({
            name: 'fuzz',
            direction: 'both',
            onlyDrops: false,
            filter: null,
            snapLength,
            count: 0,
            octets: 8192,
            clock: () => {},
            onChange: () => {},
          })
          capture.allow(1 << 30)
          const file: Uint8Array[] = []
          const take = (most: number): void => {
            const { ring } = capture
            const octets = Math.min(most, ring.waiting)
            file.push(ring.memory.bytes.slice(ring.head, ring.head + octets))
            ring.read(octets)
          }
          for (const [octets, direction, reason, header] of shown) {
            const memory = new FrameMemory(new Uint8Array(octets.length + 64))
            memory.bytes.set(octets, 32)
            // Any virtio header; the switch has seen to it that only a drop of its own has a bad one.
            if (reason >= 0 && reason <= 2) memory.bytes.set(header, 22)
            capture.frame(entry, direction, reason, memory, 32, 32 + octets.length)
            take(read)
          }
          while (capture.ring.waiting > 0) take(8192)
          file.push(capture.statistics())
          const { packets: found, statistics } = readPcapng(Buffer.concat(file))
          expect(found.length + (statistics[0]?.dropped ?? 0)).toBe(shown.length)
          capture.free()
        },
      ),
      budget(),
    )
  },
  TIMEOUT_MS,
)

it(
  'any request is taken or refused, and any stream passed on or given up',
  () => {
    const words = fc.array(
      fc.oneof(
        fc.constantFrom(
          'capture',
          'hybridge',
          'a',
          '3',
          '--filter',
          '-c',
          '-w',
          '-',
          '--drops',
          '--snaplen=5',
          '--direction',
        ),
        fc.string({ maxLength: 8 }),
      ),
      { maxLength: 10 },
    )
    const refusals = [ConfigError, ProtocolError]
    const attempt = (action: () => unknown): void => {
      try {
        action()
      } catch (error) {
        if (!refusals.some((known) => error instanceof known)) throw error
      }
    }
    fc.assert(
      fc.property(
        words,
        fc.json(),
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }),
        (said, json, chunks) => {
          attempt(() => parseCommand(`capture ${said.join(' ')}`))
          CaptureRequest.safeParse(JSON.parse(json))
          const stream = new BlockStream()
          let passed = 0
          attempt(() => {
            for (const chunk of chunks) passed += stream.take(chunk).length
          })
          expect(passed).toBeLessThanOrEqual(chunks.reduce((sum, { length }) => sum + length, 0))
        },
      ),
      budget(),
    )
  },
  TIMEOUT_MS,
)
