/** Lengths of the frames of a capture as they were, however much of each was kept. */
import { readFileSync } from 'node:fs'

const HEADER = 24
const RECORD = 16

/** Of a pcap file as this machine writes it; a record that is still being written is left out. */
export function frameLengths(path: string): number[] {
  const file = readFileSync(path)
  const lengths: number[] = []
  for (let at = HEADER; at + RECORD <= file.length; at += RECORD + file.readUInt32LE(at + 8))
    lengths.push(file.readUInt32LE(at + 12))
  return lengths
}

export interface Total {
  frames: number
  octets: number
  longest: number
}

/** Frames of a capture and their octets, as an interface counts them. */
export function totalOf(path: string): Total {
  const lengths = frameLengths(path)
  const octets = lengths.reduce((sum, length) => sum + length, 0)
  return { frames: lengths.length, octets, longest: Math.max(0, ...lengths) }
}
