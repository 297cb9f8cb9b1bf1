/** The agent's whole path for a frame, both ways: switch, tunnel port, stream; nothing is allocated for one. */
import { expect, it } from 'vitest'
import { PortCounters } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import type { Port } from '#net/port/port.ts'
import { TunnelPort } from '#net/port/tunnel/tunnel.ts'
import { Switch } from '#net/switch/switch.ts'
import { Pace } from '#net/tunnel/pace.ts'
import { bytesPerCall } from '#test/support/allocation.ts'

const START = 32
/** Of the agent's network interface: frames that one system call brings. */
const BATCH = 32
const FRAMES = 10_000

/** A network interface that only counts. */
class Nic implements Port {
  readonly name = 'nic:test'
  readonly superFrames = true
  readonly maxFrame = 9216
  readonly up = true
  readonly counters: PortCounters
  constructor(counters: PortCounters) {
    this.counters = counters
  }
  send(): void {
    this.counters.outFrames++
  }
  flush(): void {}
  close(): void {}
}

function join(isControlled: boolean): {
  nic: { frame: (memory: FrameMemory, start: number, end: number) => void; batchEnd: () => void }
  port: TunnelPort
  counters: PortCounters
  written: () => number
  chunk: (length: number) => Buffer
  close: () => void
} {
  const bridge = new Switch({ name: 'test' })
  const local = bridge.addEntry()
  const remote = bridge.addEntry()
  local.connect(new Nic(local.counters))
  const port = new TunnelPort({ name: 'tunnel:test', counters: remote.counters, sink: remote, seed: 1 })
  remote.connect(port)
  let octets = 0
  let last = Buffer.alloc(0)
  const pace = new Pace(isControlled)
  // 800 Mbit/s: writes are large, as the only thing that is allocated is a view for each.
  for (let i = 0; i < 20; i++)
    pace.read(
      {
        ackedOctets: 2e6 * i,
        flightOctets: 0,
        isHeld: false,
        isLate: false,
        roundTripMs: 1,
        leastRoundTripMs: 1,
      },
      20 * i,
    )
  const stream = {
    pace,
    isFull: false,
    write: (chunk: Buffer): boolean => {
      octets += chunk.length
      if (chunk.length > last.length) last = Buffer.from(chunk)
      return true
    },
    whenReleased: (then: () => void): void => then(),
  }
  port.connect(stream, { superFrames: true, largestFrame: 9216 })
  return {
    nic: local,
    port,
    counters: local.counters,
    written: () => octets,
    // Whole records of one length, as the far side would send them.
    chunk: (length) => last.subarray(0, Math.floor(last.length / (length + 14)) * (length + 14)),
    close: () => {
      port.close()
      bridge.close()
    },
  }
}

function put(memory: FrameMemory): void {
  memory.bytes.fill(0)
  memory.bytes.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0], START)
}

it.each([
  [60, true],
  [1514, true],
  [60, false],
  [1514, false],
])(
  'allocates nothing for a frame of %i octets to the tunnel (latency control: %s) and back',
  (length, isControlled) => {
    const path = join(isControlled)
    const memory = FrameMemory.native(65_536)
    put(memory)
    let inBatch = 0
    let sent = 0
    const send = (): void => {
      path.nic.frame(memory, START, START + length)
      sent++
      if (++inBatch < BATCH) return
      inBatch = 0
      path.nic.batchEnd()
      path.port.drained() // as at the turn's end
    }
    // Some 100 octets for each write are 3 a frame.
    expect(bytesPerCall(send, FRAMES)).toBeLessThan(8)
    path.nic.batchEnd()
    path.port.drained()
    expect(path.written()).toBe(sent * (length + 14))

    const chunk = path.chunk(length)
    const frames = chunk.length / (length + 14)
    expect(frames).toBeGreaterThanOrEqual(2)
    let received = 0
    const receive = (): void => {
      path.port.receive(chunk, 0, chunk.length)
      received += frames
    }
    expect(bytesPerCall(receive, Math.ceil(FRAMES / frames)) / frames).toBeLessThan(8)
    expect(path.counters.outFrames).toBe(received)
    path.close()
    memory.free()
  },
)

it('allocates one view of what is written for a super-frame, and nothing else', () => {
  const path = join(true)
  const memory = FrameMemory.native(65_536)
  put(memory)
  const send = (): void => {
    path.nic.frame(memory, START, START + 60_000)
    path.nic.batchEnd()
    path.port.drained()
  }
  expect(bytesPerCall(send, 2000)).toBeLessThan(160)
  path.close()
  memory.free()
})
