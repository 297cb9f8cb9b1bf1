/** The full-screen view of a session, from the first connection until the user quits or the program ends. */
import type { Output } from '#agent/output.ts'
import type { Session } from '#agent/session.ts'
import { SessionViewSource } from '#agent/view/view-source.ts'
import { settleTerminal } from '#net/view/terminal.ts'
import { runView } from '#net/view/view.ts'

export class SessionView {
  readonly #source: SessionViewSource
  readonly #output: Output
  readonly #env: NodeJS.ProcessEnv
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined

  /** @throws ConfigError when there is no terminal for it */
  constructor(version: string, env: NodeJS.ProcessEnv, output: Output, session: () => Session | undefined) {
    settleTerminal({ input: process.stdin, output: process.stdout }, env)
    this.#source = new SessionViewSource(version, session)
    this.#output = output
    this.#env = env
    output.onLog = (text) => this.#source.say(text)
  }

  /** Takes the terminal. `onEnd` is told when it has it no more, whoever ended the view. */
  open(onEnd: () => void): void {
    if (this.#closing.signal.aborted) return
    this.#output.hasScreen = true
    const view = {
      input: process.stdin,
      output: process.stdout,
      env: this.#env,
      signal: this.#closing.signal,
    }
    this.#running = runView(this.#source, view).finally(() => {
      this.#output.hasScreen = false
      onEnd()
    })
    this.#running.catch(() => {}) // `ended` tells of it
  }

  /** Resolves when the terminal is as it was. @throws what ended the view, if it was a fault */
  get ended(): Promise<void> {
    return this.#running ?? Promise.resolve()
  }

  /** Gives the terminal back. @returns whether the view had it: `onEnd` is told then */
  close(): boolean {
    this.#closing.abort()
    return this.#running !== undefined
  }
}
