/**
 * The process of a `pcap` port: captures and sends with libpcap, through the package `cap`, which aborts when the
 * interface goes away. Speaks with the port through descriptor 3, and ends with it. Arguments: name of the interface,
 * its address if that is known.
 */
import { writeSync } from 'node:fs'
import type { Cap } from 'cap'
import { reasonOf, SystemError } from '#net/base/errors.ts'
import {
  DROP_IO,
  DROP_LINK_DOWN,
  DROP_QUEUE_FULL,
  DROP_SHORT,
  DROP_TOO_BIG,
  PortCounters,
} from '#net/port/counters.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { FrameAssembler } from '#net/port/frame-assembler.ts'
import { FrameMemory, TAG_ROOM } from '#net/port/frame-memory.ts'
import { PcapChannel } from '#net/port/pcap/channel.ts'
import {
  countsPayload,
  failurePayload,
  parseLimit,
  RECORD_COUNTS,
  RECORD_FAILED,
  RECORD_LIMIT,
  RECORD_OPENED,
} from '#net/port/pcap/records.ts'
import { SentFrames } from '#net/port/pcap/sent-frames.ts'
import { controlRecord, RecordScanner } from '#net/tunnel/framing.ts'
import { HEADER_LEN, TAG_LEN, TPID_C_TAG, TPID_S_TAG } from '#net/wire/ethernet.ts'
import { u16 } from '#net/wire/octets.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

const CHANNEL_FD = 3
/** Where a frame has its EtherType. */
const ETHERTYPE = 12
/** libpcap's ring: some 3500 frames of 9216 octets. */
const RING_OCTETS = 32 << 20
/** `cap` cuts longer frames to this. */
const SNAP_OCTETS = 65_535
/** Where captured frames begin in their memory: behind room for a tag, and a virtio header. */
const START = TAG_ROOM + VIRTIO_HEADER_LEN
/** Frames between two looks at the channel, while they keep coming. */
const BURST = 64
/** On Linux a capture does not hear what is sent through it. */
const hearsItself = process.platform !== 'linux'

class PcapChild {
  readonly #counters = new PortCounters()
  /** The counters have changed since they were told. */
  #hasCounted = false
  #limit = SNAP_OCTETS
  #captures = 0
  #isScheduled = false
  readonly #capture: Cap
  readonly #captured: FrameMemory
  readonly #channel: PcapChannel
  readonly #sent = hearsItself ? new SentFrames() : undefined
  readonly #onTurnEnd = (): void => {
    this.#isScheduled = false
    this.#turn()
  }

  /** @param captured  where `capture` puts each frame, at `START` */
  constructor(capture: Cap, captured: FrameMemory) {
    this.#capture = capture
    this.#captured = captured
    const toWire = new FrameAssembler(new PortCounters(), {
      frame: (memory, start, end) => this.#send(memory.bytes, start, end),
      batchEnd: () => this.#schedule(),
      portState: () => {},
    })
    const records = new RecordScanner({
      onFrames: (chunk, start, end) => toWire.append(chunk, start, end),
      onControl: (type, payload) => {
        if (type === RECORD_LIMIT) this.#limit = parseLimit(payload)
      },
    })
    this.#channel = new PcapChannel(CHANNEL_FD, {
      onOctets: (chunk, start, end) => records.scan(chunk, start, end),
      onEnd: () => process.exit(),
    })
  }

  start(): void {
    this.#capture.on('packet', (length) => this.#receive(length))
    this.#channel.queue.control(RECORD_OPENED, new Uint8Array(0))
    this.#channel.write()
  }

  #receive(length: number): void {
    const { queue } = this.#channel
    const end = START + length
    if (length > this.#limit + tagLength(this.#captured.bytes)) this.#lose(DROP_TOO_BIG)
    else if (length < HEADER_LEN) this.#lose(DROP_SHORT)
    else if (this.#sent?.take(this.#captured.bytes, START, end, performance.now()) !== true) {
      if (!queue.frame(this.#captured, START, end)) this.#lose(DROP_QUEUE_FULL)
    }
    if (++this.#captures % BURST === 0) this.#turn()
    else this.#schedule()
  }

  #lose(reason: number): void {
    this.#counters.dropIn(reason, 1)
    this.#hasCounted = true
  }

  #send(octets: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.#hasCounted = true
    try {
      this.#capture.send(Buffer.from(octets.buffer, octets.byteOffset + start, length), length)
    } catch (error) {
      this.#counters.dropOut(dropReasonOf(reasonOf(error)), 1)
      return
    }
    this.#sent?.add(octets, start, end, performance.now())
    this.#counters.outFrames++
    this.#counters.outOctets += length
  }

  /** When nothing more is there to be captured. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#onTurnEnd)
  }

  #turn(): void {
    const { queue } = this.#channel
    if (this.#hasCounted && queue.control(RECORD_COUNTS, countsPayload(this.#counters)))
      this.#hasCounted = false
    this.#channel.poll()
  }
}

/**
 * Octets that a tag adds to the frame at `START`. Linux takes the outer tag off and libpcap puts it back; of frames that
 * are longer than the MTU and that tag, libpcap gives some octets more and cuts the rest, which `cap` does not tell.
 */
function tagLength(octets: Uint8Array): number {
  const type = u16(octets, START + ETHERTYPE)
  return type === TPID_C_TAG || type === TPID_S_TAG ? TAG_LEN : 0
}

/** `cap` tells no errno, only what libpcap says. */
function dropReasonOf(text: string): number {
  if (/too long/i.test(text)) return DROP_TOO_BIG
  if (/buffer space|temporarily unavailable/i.test(text)) return DROP_QUEUE_FULL
  return /is down|no such device/i.test(text) ? DROP_LINK_DOWN : DROP_IO
}

/** @throws SystemError with the remedy */
async function openCapture(name: string, address: string, captured: FrameMemory): Promise<Cap> {
  const { bytes } = captured
  const module = await import('cap').catch((error: unknown) => {
    const reason = reasonOf(error).split('\n', 1)[0]
    throw new SystemError(
      'ENOPKG',
      `the driver pcap needs the package cap, which cannot be loaded: ${reason} (${REMEDY})`,
    )
  })
  const capture = new module.default.Cap()
  let linkType: string
  try {
    const octets = Buffer.from(bytes.buffer, bytes.byteOffset + START, SNAP_OCTETS)
    // What the machine sends itself. libpcap 1.10 loses the first frame to filters of direction, as `inbound`.
    const filter = address === '' ? '' : `not ether src ${address}`
    linkType = capture.open(name, filter, RING_OCTETS, octets)
  } catch (error) {
    throw refusal(reasonOf(error))
  }
  if (linkType !== 'ETHERNET')
    throw new SystemError('EPROTOTYPE', `it is no Ethernet interface (${linkType})`)
  return capture
}

const REMEDY =
  process.platform === 'win32'
    ? 'install Npcap and its SDK, and a C++ compiler; then npm rebuild cap'
    : "install a C++ compiler and libpcap's header files, on Debian `apt-get install g++ make python3 libpcap-dev`; " +
      'then `npm install`'

function refusal(text: string): SystemError {
  if (/permission|not permitted/i.test(text))
    return new SystemError('EPERM', `${text} (needs the right to capture; run as root)`)
  if (/no such device/i.test(text)) return new SystemError('ENODEV', text)
  return new SystemError(/not up|is down/i.test(text) ? 'ENETDOWN' : 'EIO', text)
}

/** Ctrl-C goes to every program of the terminal; this one ends with the port. */
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})

try {
  const captured = FrameMemory.native(START + SNAP_OCTETS)
  const [, , name = '', address = ''] = process.argv
  new PcapChild(await openCapture(name, address, captured), captured).start()
} catch (error) {
  const failure = failurePayload({ code: errnoOf(error), message: reasonOf(error) })
  writeSync(CHANNEL_FD, controlRecord(RECORD_FAILED, failure))
  process.exit(1)
}
