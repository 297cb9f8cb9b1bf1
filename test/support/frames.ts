/** Frames put on the wire octet by octet through a raw socket. */
import { join } from 'node:path'
import type { Namespace } from '#test/support/netns.ts'

const SENDER = join(import.meta.dirname, 'send-frames.py')

/** Sends frames in order; resolves when the kernel has taken the last one. */
export async function sendFrames(
  from: Namespace,
  nic: string,
  frames: readonly Uint8Array[],
  gapUs = 0,
): Promise<void> {
  const parts: Uint8Array[] = []
  for (const frame of frames) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(frame.length)
    parts.push(length, frame)
  }
  await from.run('/usr/bin/python3', ['-I', '-S', SENDER, nic, String(gapUs)], {
    input: Buffer.concat(parts),
  })
}

const octets = (mac: string): number[] => mac.split(':').map((digit) => Number.parseInt(digit, 16))

export interface FrameFields {
  destination?: string
  source?: string
  /** `[TPID, TCI]`, outermost first. */
  tags?: readonly (readonly [number, number])[]
  /** EtherType, or a length below 1536. */
  type?: number
  /** Octets of the whole frame, tags included, without the FCS. */
  length: number
  /** Makes the payload of this frame unlike another one's. */
  seed?: number
}

/** An Ethernet frame whose payload follows from `seed`; as short as its header if `length` says so. */
export function makeFrame(fields: FrameFields): Buffer {
  const {
    destination = 'ff:ff:ff:ff:ff:ff',
    source = '02:00:00:00:00:01',
    tags = [],
    type = 0x88b5,
    seed = 0,
  } = fields
  const words = [...tags.flat(), type]
  const header = [
    ...octets(destination),
    ...octets(source),
    ...words.flatMap((word) => [word >> 8, word & 0xff]),
  ]
  if (fields.length < header.length)
    throw new Error(`a frame of ${fields.length} octets has no room for its header`)
  const frame = Buffer.alloc(fields.length)
  frame.set(header)
  for (let i = header.length; i < frame.length; i++) frame[i] = (seed * 31 + i * 7) & 0xff
  return frame
}
