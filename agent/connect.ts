/** `hconnect`: bridges the interface, with a text report, until it is told to end. */
import type { ConfigFile } from '#agent/config-file.ts'
import { EndSignals } from '#agent/end-signals.ts'
import { settleHub } from '#agent/hub.ts'
import { settleBridges, settleDriver, settleNic, type Arguments } from '#agent/options.ts'
import type { Output } from '#agent/output.ts'
import { formatCheck, formatReport, formatReportJson, formatStart, formatVersion } from '#agent/report.ts'
import { Session, type SessionEvents } from '#agent/session.ts'
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
  const bridges = settleBridges(args, config)
  const nic = settleNic(args, env, config)
  const driver = settleDriver(args)
  const hub = await settleHub(args, config, env, output.log)
  output.text(formatVersion(version))
  const bridge = bridges.map((choice) => choice.bridge).join(',')
  output.event('start', { version, nic, bridge, hub: hub.target.host, port: hub.target.port })

  // Before anything is changed: a signal that nobody takes ends the process without putting it back.
  const signals = new EndSignals()
  let session: Session | undefined
  const onHangup = (): void => {
    if (session === undefined) return
    output.log('SIGHUP: reconnecting')
    session.reconnectNow()
  }
  process.on('SIGHUP', onHangup)
  const reporter = new Reporter(args, output, () => session)
  try {
    session = await Session.open({
      hub,
      bridges,
      nic,
      driver,
      mtu: args.mtu ?? config.mtu,
      allowUplink: args.allowUplink,
      superFrames: args.superFrames,
      latencyControl: args.latencyControl,
      events: reporter,
    }).catch((error: unknown) => {
      if (!signals.hasCome) throw error
      return undefined
    })
    if (session === undefined || signals.hasCome) return output.event('end')
    const running = session
    signals.onFirst(() => {
      reporter.last()
      running.stop()
    })
    output.onClosed = () => running.stop()
    await running.run()
    output.event('end')
  } finally {
    reporter.stop()
    process.off('SIGHUP', onHangup)
    session?.close()
  }
}

/** Says what happens to the session, and reports at intervals from the first connection on. */
class Reporter implements SessionEvents {
  readonly #args: Arguments
  readonly #output: Output
  readonly #session: () => Session | undefined
  #timer: NodeJS.Timeout | undefined
  #reports = 0

  constructor(args: Arguments, output: Output, session: () => Session | undefined) {
    this.#args = args
    this.#output = output
    this.#session = session
  }

  onReached(address: string, ok: boolean): void {
    this.#output.text(formatCheck(address, ok))
    this.#output.event('check', { address, ok })
  }

  onConnected(address: string, peer: string, reconnects: number): void {
    const { intervalSeconds, count } = this.#args
    if (reconnects === 0) this.#output.text(formatStart(address, intervalSeconds))
    else this.#output.log(`connected again to ${address}`)
    this.#output.event('connected', { address, peer, reconnects })
    this.#timer ??= setInterval(() => {
      this.#report()
      if (this.#reports >= count) this.#session()?.stop()
    }, intervalSeconds * 1000)
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

  /** The report at the end, if there was a connection. */
  last(): void {
    if (this.#timer !== undefined) this.#report()
    this.stop()
  }

  stop(): void {
    clearInterval(this.#timer)
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
