/**
 * One link of `hconnect run`: its session, opened again at a slow pace after what no reconnect mends, as soon as its
 * interface is there if that was missing. Nothing that happens to it is thrown.
 */
import type { LinkSettings } from '#agent/config-file.ts'
import { EXIT_NO_NIC, EXIT_OTHER, EXIT_USAGE, ExitError } from '#agent/exit-codes.ts'
import type { Session, SessionEvents, SessionReading } from '#agent/session.ts'
import type { Log, LogFields, Severity } from '#agent/service/service-log.ts'
import { retryPauseMs } from '#agent/service/retry-pause.ts'
import { ConfigError, reasonOf } from '#net/base/errors.ts'

/** What a link needs of its session. */
export type LinkSession = Pick<Session, 'reading' | 'ring' | 'run' | 'stop' | 'close'>

export interface ManagedLinkOptions {
  readonly settings: LinkSettings
  /** Opens its session, not connected yet. @throws ExitError, ConfigError */
  readonly open: (settings: LinkSettings, events: SessionEvents) => Promise<LinkSession>
  /** Calls back when its interface may have come, until the result is called. */
  readonly watchNic: (nic: string, onThere: () => void) => () => void
  readonly log: Log
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Its state may be another one. */
  readonly onChange: () => void
}

/** Why there is no session, or none any more. */
export interface LinkFailure {
  /** Milliseconds since 1970 when the first of them happened. */
  readonly since: number
  /** In a row. */
  readonly count: number
  readonly reason: string
  readonly exitCode: number
  /** Milliseconds since 1970 when it is opened again. */
  readonly retryAt: number
}

export class ManagedLink {
  readonly settings: LinkSettings
  /** Resolves when the interface has been opened, or could not be. */
  readonly tried: Promise<void>
  readonly #options: ManagedLinkOptions
  #onTried: () => void = () => {}
  #session: LinkSession | undefined
  #failure: LinkFailure | undefined
  #failures = 0
  #isStopping = false
  #wake: () => void = () => {}
  #ended: Promise<void> = Promise.resolve()

  constructor(options: ManagedLinkOptions) {
    this.#options = options
    this.settings = options.settings
    this.tried = new Promise((resolve) => {
      this.#onTried = resolve
    })
  }

  start(): void {
    this.#ended = this.#run()
  }

  /** Undefined while there is no session. */
  get reading(): SessionReading | undefined {
    return this.#session?.reading
  }

  get session(): LinkSession | undefined {
    return this.#session
  }

  /** Undefined while there is a session, or the first one is being opened. */
  get failure(): LinkFailure | undefined {
    return this.#session === undefined ? this.#failure : undefined
  }

  /** Changes as long as it turns. */
  get sign(): string {
    const link = this.reading?.link
    const { failure } = this
    if (failure !== undefined && Date.now() < failure.retryAt) return `${Date.now()}`
    return `${this.#failures} ${link?.state} ${link?.since} ${link?.attempt} ${link?.roundTripMs}`
  }

  /** Opens it now if it failed. */
  retryNow(): void {
    this.#wake()
  }

  /** Tells the hub, restores the interface. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#session?.stop()
    this.#wake()
    await this.#ended
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      try {
        await this.#runSession()
      } catch (error) {
        if (!this.#isStopping) this.#fail(error)
      }
      this.#onTried()
      if (this.#failure !== undefined && !this.#isStopping) await this.#pause(this.#failure)
    }
  }

  async #runSession(): Promise<void> {
    const session = await this.#options.open(this.settings, this.#events())
    try {
      this.#session = session
      this.#onTried()
      this.#options.onChange()
      if (!this.#isStopping) await session.run()
    } finally {
      this.#session = undefined
      session.close()
    }
  }

  #fail(error: unknown): void {
    const exitCode = exitCodeOf(error)
    const reason = reasonOf(error)
    const now = Date.now()
    const pauseMs = retryPauseMs(++this.#failures, this.#options.random())
    const isSame = this.#failure?.reason === reason
    const { since = now } = this.#failure ?? {}
    this.#failure = { since, count: this.#failures, reason, exitCode, retryAt: now + pauseMs }
    const again = `tried again in ${Math.round(pauseMs / 1000)} s`
    // What goes on failing in the same way is told once.
    if (!isSame) this.#say('error', `failed: ${reason}; ${again}`, { event: 'failed', reason, exitCode })
    if (exitCode === EXIT_OTHER && !(error instanceof ExitError) && error instanceof Error)
      this.#say('error', `a fault of the program: ${error.stack ?? ''}`)
    this.#options.onChange()
  }

  #pause({ retryAt, exitCode }: LinkFailure): Promise<void> {
    return new Promise((resolve) => {
      const forget =
        exitCode === EXIT_NO_NIC ? this.#options.watchNic(this.settings.nic, () => this.#wake()) : () => {}
      const timer = setTimeout(() => this.#wake(), retryAt - Date.now())
      this.#wake = () => {
        this.#wake = () => {}
        clearTimeout(timer)
        forget()
        resolve()
      }
    })
  }

  #events(): SessionEvents {
    const changed = this.#options.onChange
    return {
      onReached: () => {},
      onConnected: (address, peer, reconnects) => {
        this.#failures = 0
        this.#failure = undefined
        const what = reconnects === 0 ? 'connected' : 'connected again'
        this.#say('notice', `${what} to ${address}`, { event: 'connected', address, peer, reconnects })
        changed()
      },
      onLost: (reason) => {
        this.#say('warning', `connection lost: ${reason}; reconnecting`, { event: 'disconnected', reason })
        changed()
      },
      onRetry: (reason) => {
        this.#say('warning', `no connection yet: ${reason}`, { event: 'retry', reason })
        changed()
      },
      onNotice: (text) => this.#say('warning', text),
    }
  }

  #say(severity: Severity, text: string, fields: LogFields = { event: 'notice' }): void {
    this.#options.log(severity, text, { ...fields, link: this.settings.name })
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ExitError) return error.exitCode
  return error instanceof ConfigError ? EXIT_USAGE : EXIT_OTHER
}
