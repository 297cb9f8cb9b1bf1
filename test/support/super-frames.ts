/** Which super-frames a capture holds: TCP and UDP in frames that no wire carries, put together by sender or card. */
import type { Capture } from '#test/support/capture.ts'
import { frameLengths } from '#test/support/pcap-lengths.ts'

/** Octets of an untagged frame with an MTU of 1500. */
const LONGEST = 1514
const TAG = 4
const TPID = 0x8100
const PROTOCOLS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp' }

/**
 * The kinds of super-frames that came from an address, such as `tcp4` and `udp6`, in order of the alphabet.
 * @param capture  with at least 64 octets of each frame
 */
export function superFrames(capture: Capture, source: string): string[] {
  const lengths = frameLengths(capture.file)
  const kinds = new Set<string>()
  capture.frames().forEach((frame, i) => {
    const from = frame.toString('hex', 6, 12).replace(/(..)(?!$)/g, '$1:')
    let at = 12
    while (frame.readUInt16BE(at) === TPID) at += TAG
    if (from !== source || (lengths[i] ?? 0) <= LONGEST + at - 12) return
    const version = frame.readUInt8(at + 2) >> 4
    const protocol = frame.readUInt8(at + 2 + (version === 4 ? 9 : 6))
    kinds.add(`${PROTOCOLS[protocol] ?? protocol}${version}`)
  })
  return [...kinds].sort()
}

/** VIDs of the outer tags of a capture's frames; -1 stands for untagged ones. */
export const outerVids = (capture: Capture): number[] => [
  ...new Set(
    capture.frames().map((frame) => (frame.readUInt16BE(12) === TPID ? frame.readUInt16BE(14) & 0xfff : -1)),
  ),
]
