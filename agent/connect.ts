/** `hconnect`: bridges the interface until it is told to end. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

import { seededRandom } from '#agent/backoff.ts'
import { Bridge } from '#agent/bridge.ts'
import { refuseCarrier, refuseWay } from '#agent/carrier.ts'
import { tuneHeapForStreaming } from '#net/base/heap.ts'
import { inlineWayOfFrames } from '#net/base/inlining.ts'
import { plainAddress } from '#net/port/nic/carrier.ts'
import { nicHygiene } from '#net/port/nic/hygiene.ts'
import type { ConfigFile } from '#agent/config-file.ts'
import { EndSignals } from '#agent/end-signals.ts'
import { EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import { settleHub } from '#agent/hub.ts'
import { Link } from '#agent/link.ts'
import { settleBridge, settleDriver, settleNic, type Arguments } from '#agent/options.ts'
import type { Output } from '#agent/output.ts'
import { portKey, portKeyNow } from '#agent/port-key.ts'
import { formatCheck, formatReport, formatReportJson, formatStart, formatVersion } from '#agent/report.ts'

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
  const bridgeName = settleBridge(args, config)
  const nic = settleNic(args, env, config)
  const driver = settleDriver(args)
  const hub = await settleHub(args, config, env, output.log)
  output.text(formatVersion(version))
  output.event('start', { version, nic, bridge: bridgeName, hub: hub.target.host, port: hub.target.port })

  if (!args.allowUplink) await refuseWay(nic, hub.target.host)
  const mtu = args.mtu ?? config.mtu
  let followNic: (() => void) | undefined
  let reconnect: (() => void) | undefined
  const onHangup = (): void => reconnect?.()
  // Before anything is changed: a signal that nobody takes ends the process without putting it back.
  const signals = new EndSignals()
  process.on('SIGHUP', onHangup)
  const bridge = new Bridge(
    { nic, mtu, driver, allowUplink: args.allowUplink, onUp: () => followNic?.() },
    output.log,
  )
  await bridge.opened().catch((error: unknown) => {
    if (!signals.hasCome) throw error
  })
  if (signals.hasCome) {
    bridge.close()
    output.event('end')
    return
  }

  let reached = false
  const check = (address: string, ok: boolean): void => {
    if (!reached) {
      output.text(formatCheck(address, ok))
      output.event('check', { address, ok })
    }
    reached = true
  }
  const link = new Link({
    name: `${hostname()}:${nic}`,
    bridge: bridgeName,
    port: bridge.tunnel,
    portKey: portKey(nic),
    superFrames: args.superFrames,
    latencyControl: args.latencyControl,
    random: seededRandom(randomBytes(4).readUInt32LE()),
    dial: (lastRoundTripMs, signal) =>
      hub.dial(lastRoundTripMs, signal, {
        onAddress: (address, port) => bridge.uplink?.dialling(address, port),
        onSocket: async (socket) => {
          check(plainAddress(socket.remoteAddress ?? hub.target.host), true)
          if (bridge.uplink === undefined) await refuseCarrier(bridge.called, socket)
          else bridge.uplink.connected(socket)
        },
      }),
    events: {
      onConnected: (address, peer, reconnects) => {
        if (reconnects === 0) output.text(formatStart(address, args.intervalSeconds))
        else output.log(`connected again to ${address}`)
        output.event('connected', { address, peer: peer.name, reconnects })
        if (reconnects > 0) return
        for (const warning of nicHygiene(bridge.called, bridge.uplink !== undefined)) output.log(warning)
        startReports()
      },
      onLost: (reason) => {
        output.log(`connection lost: ${reason}; reconnecting`)
        output.event('disconnected', { reason })
      },
      onRetry: (reason) => {
        output.log(`still no connection: ${reason}`)
        output.event('retry', { reason })
      },
    },
  })

  followNic = () => {
    const key = portKeyNow(nic)
    if (key !== undefined) link.changePortKey(key)
  }

  let reports = 0
  let timer: NodeJS.Timeout | undefined
  const report = (): void => {
    reports++
    const reading = {
      state: link.state,
      hub: link.address,
      bridge: bridgeName,
      nic,
      roundTripMs: link.roundTripMs,
      reconnects: link.reconnects,
    }
    const date = new Date()
    output.raw(
      output.json
        ? formatReportJson(date, reading, bridge.local, bridge.remote)
        : formatReport(date, bridge.local, bridge.remote),
    )
  }
  const startReports = (): void => {
    timer = setInterval(() => {
      report()
      if (reports >= args.count) link.stop()
    }, args.intervalSeconds * 1000)
  }

  signals.onFirst(() => {
    if (timer !== undefined) report()
    clearInterval(timer)
    link.stop()
  })
  reconnect = () => {
    output.log('SIGHUP: reconnecting')
    link.reconnectNow()
  }
  output.onClosed = () => link.stop()
  try {
    await link.run()
    output.event('end')
  } catch (error) {
    if (error instanceof ExitError && error.exitCode === EXIT_UNREACHABLE) check(hub.target.host, false)
    throw error
  } finally {
    clearInterval(timer)
    process.off('SIGHUP', onHangup)
    bridge.close()
  }
}
