/**
 * The metrics process: answers Prometheus with the fabric's counters. It runs as the gateways' user, reads nothing but
 * its configuration, and can ask the fabric for its counters only. Working directory: the data directory.
 */
import { reasonOf, SystemError } from '#net/base/errors.ts'
import { METRICS_SOCKET } from '#hub/base/data-directory.ts'
import { fabricSockets } from '#hub/base/fabric-sockets.ts'
import { openChildLog } from '#hub/base/log.ts'
import { dropTo, processUsers } from '#hub/base/privilege.ts'
import { identityOf, readProcessConfig } from '#hub/base/process-config.ts'
import { claimSocketPath, listenRpc, RpcClient } from '#net/base/rpc.ts'
import { createEndpoint } from '#hub/metrics/endpoint.ts'
import { formatMetrics, parseFabricCounters } from '#hub/metrics/metrics.ts'

export interface MetricsConfig {
  readonly address: string
  readonly port: number
  /** Of the hub. */
  readonly version: string
}

const FABRIC_TIMEOUT_MS = 3000

const log = openChildLog('metrics')
const die = (error: unknown): never => {
  log.fatal({ err: error }, reasonOf(error))
  process.exit(1)
}
process.on('uncaughtException', die)
process.on('unhandledRejection', die)

const { text, fingerprint } = readProcessConfig('metrics')
const { address, port, version }: MetricsConfig = JSON.parse(text)
const users = processUsers()
const fabric = new RpcClient(fabricSockets().counters, { timeoutMs: FABRIC_TIMEOUT_MS })

async function collect(): Promise<string> {
  const self = { version, memoryOctets: process.memoryUsage.rss() }
  try {
    return formatMetrics(parseFabricCounters(await fabric.call('counters')), self)
  } catch (error) {
    log.warn(`the fabric's counters cannot be had: ${reasonOf(error)}`)
    return formatMetrics(undefined, self)
  }
}

const server = createEndpoint(collect, (error) => log.error({ err: error }, 'a request failed'))
// Before privileges are dropped: ports below 1024 may be root's.
await new Promise<void>((resolve, reject) => {
  server.once('error', (error: NodeJS.ErrnoException) => {
    const what = `cannot serve metrics on ${address}:${port}: ${error.message}`
    reject(new SystemError(error.code ?? 'EIO', `${what} (choose another address with --metrics)`))
  })
  server.listen({ host: address, port }, resolve)
})
await claimSocketPath(METRICS_SOCKET)
await listenRpc(METRICS_SOCKET, { status: () => identityOf(fingerprint) })
dropTo(users?.gateway, [])
log.info('ready')

// The socket's file is the supervisor's to remove: this user has no right to.
process.once('SIGTERM', () => process.exit(0))
process.once('SIGINT', () => process.exit(0))
