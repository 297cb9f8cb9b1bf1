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
