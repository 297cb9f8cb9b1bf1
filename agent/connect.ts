/** `hconnect`: bridges the interface, with a text report or the full-screen view, until it is told to end. */
import type { ConfigFile } from '#agent/config-file.ts'
import { EndSignals } from '#agent/end-signals.ts'
import { EXIT_OTHER, ExitError } from '#agent/exit-codes.ts'
import type { Arguments } from '#agent/options.ts'
import type { Output } from '#agent/output.ts'
import { formatCheck, formatReport, formatReportJson, formatStart, formatVersion } from '#agent/report.ts'
import { type AgentStatus, sessionStatus } from '#agent/service/link-status.ts'
import { serveStatus, type StatusServer } from '#agent/service/status-server.ts'
import { type SessionSettings, settleSession } from '#agent/session-settings.ts'
import { SessionView } from '#agent/view/session-view.ts'
import { LAN_PORT, Session, type SessionEvents } from '#agent/session.ts'
import { terminalAsk } from '#agent/login/terminal.ts'
import { reasonOf } from '#net/base/errors.ts'
import { tuneHeapForStreaming } from '#net/base/heap.ts'
import { inlineWayOfFrames } from '#net/base/inlining.ts'

/** @throws ExitError, ConfigError */
export async function connect(
  args: Arguments,
  config: ConfigFile,
  env: NodeJS.ProcessEnv,
  output: Output,
  version: string,
): Promise<void> {
  tuneHeapForStreaming()
  inlineWayOfFrames()
  let session: Session | undefined
  const view = args.tui ? new SessionView(version, env, output, () => session) : undefined
  const settings = await settleSession(args, config, env, output.log, terminalAsk)
  const { nic, bridges, hub } = settings
  output.text(formatVersion(version))
  const bridge = bridges.map((choice) => choice.bridge).join(',')
  output.event('start', { version, nic, bridge, hub: hub.target.host, port: hub.target.port })

  // Before anything is changed: a signal that nobody takes ends the process without putting it back.
  const signals = new EndSignals()
  let server: StatusServer | undefined
  const onHangup = (): void => {
    if (session === undefined) return
    output.log('SIGHUP: reconnecting')
    session.reconnectNow()
  }
  process.on('SIGHUP', onHangup)
  let endCapture: (() => Promise<string>) | undefined
  const reporter = new Reporter(args, output, () => session, view)
  try {
    session = await Session.open({ ...settings, isPatient: false, events: reporter }).catch(
      (error: unknown) => {
        if (!signals.hasCome) throw error
        return undefined
      },
    )
    if (session === undefined || signals.hasCome) return output.event('end')
    const running = session
    server = await serveStatus(
      () => statusOf(running, settings, version),
      (name) => (name === nic ? running.ring : undefined),
      env,
      output.log,
    )
    if (args.captureFile !== undefined) endCapture = await captureLan(running, args.captureFile)
    signals.onFirst(() => {
      if (view?.close() !== true) reporter.end()
    })
    output.onClosed = () => running.stop()
    await running.run()
    output.event('end')
  } finally {
    try {
      view?.close()
      await view?.ended
    } finally {
      reporter.stop()
      process.off('SIGHUP', onHangup)
      if (endCapture !== undefined) output.log(`captured ${await endCapture()}`)
      session?.close()
      await server?.close()
    }
  }
}

/** For `hconnect status`. */
function statusOf(
  session: Session,
  { nic, hub, captureRing }: SessionSettings,
  version: string,
): AgentStatus {
  const link = sessionStatus(nic, hub.target.host, session.reading, captureRing !== undefined)
  return { pid: process.pid, version, command: 'connect', links: [link] }
}

/** @throws ExitError when the file cannot be made */
async function captureLan(session: Session, file: string): Promise<() => Promise<string>> {
  try {
    return await session.inspection.capture(LAN_PORT, file)
  } catch (error) {
    throw new ExitError(EXIT_OTHER, `--capture: ${reasonOf(error)}`, { cause: error })
  }
}

/** Says what happens to the session, and reports at intervals from the first connection on, unless there is a view. */
class Reporter implements SessionEvents {
  readonly #args: Arguments
  readonly #output: Output
  readonly #session: () => Session | undefined
  readonly #view: SessionView | undefined
  #hasConnected = false
  #timer: NodeJS.Timeout | undefined
  #reports = 0

  constructor(
    args: Arguments,
    output: Output,
    session: () => Session | undefined,
    view: SessionView | undefined,
  ) {
    this.#args = args
    this.#output = output
    this.#session = session
    this.#view = view
  }

  onReached(address: string, ok: boolean): void {
    this.#output.text(formatCheck(address, ok))
    this.#output.event('check', { address, ok })
  }

  onConnected(address: string, peer: string, reconnects: number): void {
    if (reconnects > 0) this.#output.log(`connected again to ${address}`)
    else if (this.#view === undefined) this.#output.text(formatStart(address, this.#args.intervalSeconds))
    this.#output.event('connected', { address, peer, reconnects })
    if (!this.#hasConnected) this.#begin(address)
    this.#hasConnected = true
  }

  onLost(reason: string): void {
    this.#output.log(`connection lost: ${reason}; reconnecting`)
    this.#output.event('disconnected', { reason })
  }

  onRetry(reason: string): void {
    this.#output.log(`still no connection: ${reason}`)
    this.#output.event('retry', { reason })
  }

  onNotice(text: string): void {
    this.#output.log(text)
  }

  /** Ends the session, with a last report if there was a connection. */
  end(): void {
    if (this.#hasConnected) this.#report()
    this.stop()
    this.#session()?.stop()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #begin(address: string): void {
    if (this.#view !== undefined) {
      this.#output.log(`connected to ${address}`)
      return this.#view.open(() => this.end())
    }
    const { intervalSeconds, count } = this.#args
    this.#timer = setInterval(() => {
      this.#report()
      if (this.#reports >= count) this.#session()?.stop()
    }, intervalSeconds * 1000)
  }

  #report(): void {
    const session = this.#session()
    if (session === undefined) return
    this.#reports++
    const { link, local, remotes } = session.reading
    const date = new Date()
    this.#output.raw(
      this.#output.json
        ? formatReportJson(date, link, local, remotes)
        : formatReport(date, link, local, remotes),
    )
  }
}
