/** What crossed an interface: tcpdump writes, and its file is read back. libpcap puts stripped VLAN tags back. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Namespace } from '#test/support/netns.ts'
import { until } from '#test/support/process.ts'
import type { Running } from '#test/support/process.ts'

export interface CaptureOptions {
  /** A filter in tcpdump's language; default: everything. */
  filter?: string
  direction?: 'in' | 'out' | 'inout'
  /** Octets kept of each frame; default: all. */
  snap?: number
}

const HEADER = 24
const RECORD = 16
const COUNTS = /(\d+) packets? captured, (\d+) packets? received by filter, (\d+) packets? dropped/
const MAGIC = new Set([0xa1b2c3d4, 0xa1b23c4d])

/** Frames of a pcap file as this machine writes it; a record that is still being written is left out. */
function readPcap(file: Buffer): Buffer[] {
  if (file.length < HEADER) return []
  if (!MAGIC.has(file.readUInt32LE(0))) throw new Error('not a little-endian pcap file')
  const frames: Buffer[] = []
  for (let at = HEADER; at + RECORD <= file.length;) {
    const end = at + RECORD + file.readUInt32LE(at + 8)
    if (end > file.length) break
    frames.push(file.subarray(at + RECORD, end))
    at = end
  }
  return frames
}

export class Capture {
  readonly file: string
  readonly #tcpdump: Running

  private constructor(tcpdump: Running, file: string) {
    this.#tcpdump = tcpdump
    this.file = file
  }

  /** Resolves when the capture sees every further frame. */
  static async start(namespace: Namespace, nic: string, options: CaptureOptions = {}): Promise<Capture> {
    const { filter = '', direction = 'inout', snap = 0 } = options
    const file = join(namespace.directory, `${nic}-${randomBytes(3).toString('hex')}.pcap`)
    const how = ['-i', nic, '-n', '-U', '--immediate-mode', '-B', '65536', '-Z', 'root', '-w', file]
    const what = ['-Q', direction, '-s', String(snap), ...(filter === '' ? [] : [filter])]
    const tcpdump = namespace.spawn('tcpdump', [...how, ...what])
    await tcpdump.line(/listening on/)
    return new Capture(tcpdump, file)
  }

  /** Frames that have been written so far, in order. */
  frames(): Buffer[] {
    return readPcap(readFileSync(this.file))
  }

  /** Waits until so many frames were seen. */
  async seen(count: number, deadlineMs = 10_000): Promise<Buffer[]> {
    let have = 0
    const enough = (): Buffer[] | false => {
      const frames = this.frames()
      have = frames.length
      return have >= count && frames
    }
    return until(`capture of ${count} frames`, enough, deadlineMs).catch((error: Error) => {
      throw new Error(`${error.message}: ${have} seen`, { cause: error })
    })
  }

  /** Ends the capture when all that the kernel handed over is written; fails when the kernel dropped frames. */
  async stop(): Promise<Buffer[]> {
    const deadline = performance.now() + 10_000
    let before = ''
    for (;;) {
      const from = this.#tcpdump.lines.length
      this.#tcpdump.child.kill('SIGUSR1')
      const [, captured, received, lost] = await this.#tcpdump.line(COUNTS, { from })
      // With a direction or a filter of it, frames that libpcap itself left out stay in `received` for good.
      const isSettled = captured === before && performance.now() > deadline - 9500
      if (Number(captured) + Number(lost) >= Number(received) || isSettled) break
      if (performance.now() > deadline) throw new Error('tcpdump does not come to an end')
      before = captured ?? ''
    }
    const { stderr } = await this.#tcpdump.stop('SIGINT')
    const dropped = /(\d+) packets? dropped by kernel/.exec(stderr.slice(stderr.lastIndexOf('captured')))?.[1]
    if (dropped !== '0') throw new Error(`tcpdump: ${dropped ?? 'unknown'} frames dropped by the kernel`)
    return this.frames()
  }
}
