/** What many machines receive of the type that `makeFrame` gives a frame, heard by one program. */
import { join } from 'node:path'
import { makeFrame } from '#test/support/frames.ts'
import type { Namespace } from '#test/support/netns.ts'
import type { Running } from '#test/support/process.ts'
import { until } from '#test/support/process.ts'

const PROGRAM = join(import.meta.dirname, 'listen-frames.py')
const TYPE = makeFrame({ length: 14 }).readUInt16BE(12)

export class Listeners {
  readonly #program: Running
  readonly #names: readonly string[]

  private constructor(program: Running, names: readonly string[]) {
    this.#program = program
    this.#names = names
  }

  /** Resolves when every further frame is heard. */
  static async start(machines: readonly Namespace[]): Promise<Listeners> {
    const [first] = machines
    if (!first) throw new Error('nobody is to listen')
    const names = machines.map(({ name }) => name)
    const program = first.spawn('/usr/bin/python3', ['-I', '-S', PROGRAM, String(TYPE), ...names])
    await program.line(/^listening$/)
    return new Listeners(program, names)
  }

  /** What a machine has received so far, in order, in hex. */
  heardBy(machine: Namespace): string[] {
    const start = `${this.#names.indexOf(machine.name)} `
    return this.#program.lines
      .filter((line) => line.startsWith(start))
      .map((line) => line.slice(start.length))
  }

  /** Waits until all of them together have received so many frames. */
  async heard(count: number): Promise<void> {
    await until(`${count} frames received`, () => this.#program.lines.length > count, 20_000).catch(
      (error: Error) => {
        throw new Error(`${error.message}: ${this.#program.lines.length - 1} were`, { cause: error })
      },
    )
  }
}
