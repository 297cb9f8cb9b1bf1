/** Tagged frames that scapy makes, and reads from what was captured. Tags as text: `8100:10/5d 8100:20`, or `untagged`. */
import { join } from 'node:path'
import type { Capture } from '#test/support/capture.ts'
import type { Namespace } from '#test/support/netns.ts'
import type { Running } from '#test/support/process.ts'

const SCRIPT = join(import.meta.dirname, 'scapy-tags.py')
const PYTHON = '/usr/bin/python3'

export class ScapySender {
  readonly #scapy: Running

  private constructor(scapy: Running) {
    this.#scapy = scapy
  }

  static async start(namespace: Namespace): Promise<ScapySender> {
    const scapy = namespace.spawn(PYTHON, [SCRIPT, 'send'])
    await scapy.line(/^ready$/, { deadlineMs: 30_000 })
    return new ScapySender(scapy)
  }

  /** Broadcasts a frame that is known by its number; resolves when the kernel has it. */
  async send(nic: string, number: number, tags: string): Promise<void> {
    const from = this.#scapy.lines.length
    this.#scapy.child.stdin.write(`${nic} ${number} ${tags === 'untagged' ? '' : tags}\n`)
    await this.#scapy.line(new RegExp(`^sent ${number}$`), { from })
  }
}

/** Number and tags of each of these frames in a capture, in order. */
export async function scapyFrames(
  namespace: Namespace,
  capture: Capture,
): Promise<{ number: number; tags: string }[]> {
  const { stdout } = await namespace.run(PYTHON, [SCRIPT, 'read', capture.file])
  const lines = stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const space = line.indexOf(' ')
    return { number: Number(line.slice(0, space)), tags: line.slice(space + 1) }
  })
}
