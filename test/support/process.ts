/** Programs that a test starts: their output as lines to wait for, and an end with a deadline. */
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'

export interface Finished {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface SpawnOptions {
  cwd?: string
  /** Added to the environment of the test. */
  env?: NodeJS.ProcessEnv
}

export interface RunOptions extends SpawnOptions {
  /** Written to the program's standard input, which is then closed. */
  input?: string | Uint8Array
  timeoutMs?: number
  /** False: an exit code other than 0 is an answer, not an error. */
  check?: boolean
}

export interface LineOptions {
  deadlineMs?: number
  /** Index in `lines` of the first line that counts. */
  from?: number
}

export class Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly pid: number
  /** Complete lines of both outputs in the order of their arrival. */
  readonly lines: string[] = []
  stdout = ''
  stderr = ''
  /** Both outputs are complete when it resolves; it never rejects. */
  readonly exited: Promise<Finished>
  /** Its command line. */
  readonly title: string
  readonly #watchers = new Set<() => void>()
  #ended = false

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.title = [command, ...args].join(' ')
    const env = { ...process.env, ...options.env }
    this.child = spawn(command, args, { stdio: 'pipe', env, cwd: options.cwd })
    this.pid = this.child.pid ?? -1
    this.child.stdin.on('error', () => {}) // it may end before it has read all
    this.#read('stdout')
    this.#read('stderr')
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#ended = true
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
        this.#wake()
      }
      this.child.once('error', (error) => {
        this.stderr += error.message
        end(127, null)
      })
      this.child.once('close', end)
    })
  }

  /** Whether it has not ended. */
  get alive(): boolean {
    return !this.#ended
  }

  /** The first line that matches; fails when the program ends or the deadline passes before it comes. */
  async line(
    pattern: RegExp,
    { deadlineMs = 10_000, from = 0 }: LineOptions = {},
  ): Promise<RegExpMatchArray> {
    const deadline = performance.now() + deadlineMs
    for (let i = from; ;) {
      for (; i < this.lines.length; i++) {
        const match = this.lines[i]?.match(pattern)
        if (match) return match
      }
      if (this.#ended) throw new Error(`${this.title}: ended without a line ${pattern}\n${this.tail()}`)
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`${this.title}: no line ${pattern} in ${deadlineMs} ms\n${this.tail()}`)
      await this.#change(left)
    }
  }

  /** Asks it to end and waits; what does not end in time is killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', deadlineMs = 5_000): Promise<Finished> {
    if (!this.#ended) this.child.kill(signal)
    const timer = setTimeout(() => this.child.kill('SIGKILL'), deadlineMs)
    const finished = await this.exited
    clearTimeout(timer)
    return finished
  }

  /** The last lines it printed, for messages of failed tests. */
  tail(count = 20): string {
    return this.lines.slice(-count).join('\n')
  }

  #read(name: 'stdout' | 'stderr'): void {
    let rest = ''
    this.child[name].setEncoding('utf8').on('data', (text: string) => {
      this[name] += text
      const parts = (rest + text).split('\n')
      rest = parts.pop() ?? ''
      this.lines.push(...parts)
      this.#wake()
    })
    this.child[name].once('end', () => {
      if (rest !== '') this.lines.push(rest)
    })
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#watchers.delete(done)
        resolve()
      }
      const timer = setTimeout(done, timeoutMs)
      this.#watchers.add(done)
    })
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher()
  }
}

/** Waits for a program that was started; fails on a bad exit code or when it takes too long. */
export async function finish(running: Running, options: RunOptions = {}): Promise<Finished> {
  const { input, timeoutMs = 30_000, check = true } = options
  running.child.stdin.end(input)
  let late = false
  const timer = setTimeout(() => {
    late = true
    running.child.kill('SIGKILL')
  }, timeoutMs)
  const finished = await running.exited
  clearTimeout(timer)
  if (late) throw new Error(`${running.title}: not done in ${timeoutMs} ms\n${running.tail()}`)
  if (check && finished.code !== 0)
    throw new Error(`${running.title}: exit code ${finished.code ?? finished.signal}\n${running.tail()}`)
  return finished
}

/** Repeats a probe until it answers; for facts of the kernel that no event announces. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  deadlineMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const answer = await probe()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > deadline) throw new Error(`${what}: not in ${deadlineMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
