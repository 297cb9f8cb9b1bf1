/** Programs that speak VDE's stream on their standard input and output, as vde_plug does. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { VdeStreamReader } from '#net/port/vde/stream.ts'
import type { Namespace } from '#test/support/netns.ts'
import { until } from '#test/support/process.ts'

export class VdeStream {
  readonly child: ChildProcessWithoutNullStreams
  readonly frames: Buffer[] = []
  stderr = ''
  /** Its exit code, null after a signal. */
  readonly ended: Promise<number | null>

  constructor(namespace: Namespace, command: readonly string[]) {
    this.child = spawn('ip', ['netns', 'exec', namespace.name, ...command])
    const reader = new VdeStreamReader((octets, start, end) => {
      this.frames.push(Buffer.from(octets.slice(start, end)))
    })
    this.child.stdout.on('data', (chunk: Buffer) => reader.read(chunk))
    this.child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()))
    this.child.stdin.on('error', () => {}) // it may end first
    this.ended = once(this.child, 'close').then(([code]) => (typeof code === 'number' ? code : null))
  }

  send(...frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.say(Uint8Array.of(frame.length >> 8, frame.length & 255), frame)
  }

  say(...octets: readonly Uint8Array[]): void {
    for (const run of octets) this.child.stdin.write(run)
  }

  /** The first frame that fits. */
  frame(what: string, fits: (frame: Buffer) => boolean, deadlineMs?: number): Promise<Buffer> {
    return until(what, () => this.frames.find(fits), deadlineMs)
  }

  async stop(): Promise<void> {
    this.child.kill()
    await this.ended
  }
}
