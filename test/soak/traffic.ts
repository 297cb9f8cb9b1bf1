/** Traffic of every kind between the hosts of the laboratory, until it is stopped; programs that end start again. */
import { setTimeout as pause } from 'node:timers/promises'
import { finish } from '#test/support/process.ts'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import type { Namespace } from '#test/support/netns.ts'
import type { Running } from '#test/support/process.ts'
import { FAR_ADDRESS } from '#test/support/site.ts'
import { FAR2_ADDRESS } from '#test/soak/lab.ts'
import type { SoakLab } from '#test/soak/lab.ts'

/** Of one run of iperf3, and what it may take at most when its way fails meanwhile. */
const RUN_S = 12
const LIMIT_MS = 40_000
const PAUSE_MS = 500

interface Flow {
  from: Namespace
  to: Namespace
  address: string
  port: number
  /** Of iperf3. */
  args: readonly string[]
}

/** Frames that no IP stack sends: tagged, tagged twice, long, to everybody; all different. */
export function oddFrames(destination: string, count: number, source: string): Buffer[] {
  const customer = [0x8100, 20] as const
  return Array.from({ length: count }, (_, i) => {
    const kinds = [
      { destination, length: 60 + (i % 1400) },
      { destination, length: 64, tags: [[0x8100, 7]] as const },
      { destination, length: 1518, tags: [[0x8100, 0x6007]] as const },
      { destination, length: 1522, tags: [[0x88a8, 100], customer] as const },
      { destination, length: 300, tags: [[0x9100, 100], customer] as const },
      { destination, length: 9014 },
      { destination, length: 9018, tags: [[0x8100, 9]] as const },
      { length: 60 },
      { length: 1514, tags: [[0x8100, 7]] as const },
      { destination: '01:00:5e:00:00:fb', length: 200 },
    ]
    const frame = makeFrame({ ...(kinds[i % kinds.length] ?? { length: 60 }), source, seed: i })
    frame.writeUInt32BE(i, frame.length - 4)
    return frame
  })
}

export class Traffic {
  /** Runs of iperf3 that came to their end. */
  completed = 0
  readonly #loops: Promise<void>[] = []
  readonly #programs = new Set<Running>()
  #stopping = false
  #failure: unknown

  constructor({ pc, pc2, far, far2 }: SoakLab) {
    const first = { from: pc, to: far, address: FAR_ADDRESS }
    const second = { from: pc2, to: far2, address: FAR2_ADDRESS }
    this.#flow({ ...first, port: 5201, args: ['-P', '2'] })
    this.#flow({ ...first, port: 5202, args: ['-P', '2', '-R'] })
    this.#flow({ ...second, port: 5203, args: [] })
    this.#flow({ ...second, port: 5204, args: ['-R'] })
    this.#flow({ ...second, port: 5205, args: ['-u', '-l', '18', '-b', '300k'] })
    this.#flow({ ...second, port: 5206, args: ['-u', '-l', '18', '-b', '300k', '-R'] })
    this.#loop(() =>
      this.#run(pc2, 'ping', ['-q', '-i', '0.2', '-c', '40', '-s', '8000', '-M', 'do', FAR2_ADDRESS]),
    )
    // The same frames of one sender from both sides would be a loop.
    this.#odd(pc2, far2, '02:00:00:00:00:77')
    this.#odd(far2, pc2, '02:00:00:00:00:78')
  }

  /** May be called twice. Fails when traffic that no fault hinders could not be sent. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const program of this.#programs) program.child.kill('SIGKILL')
    await Promise.all(this.#loops)
    if (this.#failure !== undefined) throw this.#failure
  }

  #flow({ from, to, address, port, args }: Flow): void {
    this.#loop(async () => {
      const server = this.#start(to, 'iperf3', ['-s', '-1', '-p', String(port)])
      const client = ['-c', address, '-p', String(port), '-t', String(RUN_S), '--connect-timeout', '3000']
      await pause(PAUSE_MS)
      if (!this.#stopping && (await this.#run(from, 'iperf3', [...client, ...args]))) this.completed++
      await server.stop('SIGKILL')
      this.#programs.delete(server)
    })
  }

  #odd(from: Namespace, to: Namespace, source: string): void {
    const frames = oddFrames(to.state('eth0').address, 200, source)
    this.#loop(() => sendFrames(from, 'eth0', frames, 1000))
  }

  #loop(round: () => Promise<unknown>): void {
    const rounds = async (): Promise<void> => {
      while (!this.#stopping) {
        await round()
        await pause(PAUSE_MS)
      }
    }
    this.#loops.push(
      rounds().catch((error: unknown) => {
        this.#failure ??= error
      }),
    )
  }

  #start(at: Namespace, name: string, args: readonly string[]): Running {
    const program = at.spawn(name, args)
    this.#programs.add(program)
    return program
  }

  /** @returns whether it did what it was to do; while the way fails it may not. */
  async #run(at: Namespace, name: string, args: readonly string[]): Promise<boolean> {
    const program = this.#start(at, name, args)
    const isDone = await finish(program, { timeoutMs: LIMIT_MS }).then(
      () => true,
      () => false,
    )
    this.#programs.delete(program)
    return isDone
  }
}
