/** Broadcasts without an end. */
import { join } from 'node:path'
import type { Namespace } from '#test/support/netns.ts'
import type { Running } from '#test/support/process.ts'

const PROGRAM = join(import.meta.dirname, 'flood.py')

export interface Flood {
  /** Octets of each frame. */
  length: number
  /** Frames a second; 0: as fast as they go. */
  rate: number
}

/** Goes on until the program is stopped. */
export async function startFlood(from: Namespace, nic: string, { length, rate }: Flood): Promise<Running> {
  const args = ['-I', '-S', PROGRAM, nic, String(length), String(rate)]
  const program = from.spawn('/usr/bin/python3', args)
  await program.line(/^flooding$/)
  return program
}
