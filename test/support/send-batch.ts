/**
 * Sends one batch of five frames through a network card's port and prints its counters: the second is longer than the
 * card's MTU, the fourth says that its checksum is somewhere behind its end. Argument: the interface.
 */
import { PortCounters } from '#net/port/counters.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { openNic } from '#net/port/nic/nic.ts'
import { FLAG_NEEDS_CHECKSUM, GSO_NONE, putHeader } from '#net/wire/virtio.ts'

const SLOT = 16_384
const START = 64
const LENGTHS = [60, 10_000, 60, 60, 60]

const counters = new PortCounters()
const port = openNic({
  interface: process.argv[2] ?? '',
  counters,
  sink: { frame: () => {}, batchEnd: () => {}, portState: () => {} },
})
const memory = FrameMemory.native(LENGTHS.length * SLOT)
LENGTHS.forEach((length, i) => {
  const start = i * SLOT + START
  // Broadcast, from a made-up address, of the type for local experiments.
  memory.bytes.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x88, 0xb5], start)
  memory.bytes[start + 20] = i
  if (i === 3) putHeader(memory.bytes, start, FLAG_NEEDS_CHECKSUM, GSO_NONE, 0, 0, 1000, 16)
  port.send(memory, start, start + length)
})
port.flush()
console.log(JSON.stringify(counters.read()))
port.close()
