/**
 * The metrics process: answers Prometheus with the fabric's counters. It runs as the gateways' user, reads nothing but
 * its configuration, and asks the fabrics for their counters only. Working directory: the data directory.
 */
import { reasonOf, SystemError } from '#net/base/errors.ts'
import { AUTH_SOCKET, METRICS_SOCKET } from '#hub/base/data-directory.ts'
import { fabricSockets } from '#hub/base/fabric-sockets.ts'
import { openChildLog } from '#hub/base/log.ts'
import { dropTo, processUsers } from '#hub/base/privilege.ts'
import { identityOf, readProcessConfig } from '#hub/base/process-config.ts'
import { callOnce, claimSocketPath, listenRpc, RpcClient } from '#net/base/rpc.ts'
import { createEndpoint } from '#hub/metrics/endpoint.ts'
import { type FabricMetrics, formatMetrics, parseFabricCounters } from '#hub/metrics/metrics.ts'

export interface MetricsConfig {
  readonly address: string
  readonly port: number
  /** Of the hub. */
  readonly version: string
}

const CONTROL_TIMEOUT_MS = 1000
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
const control = new RpcClient(AUTH_SOCKET, { timeoutMs: CONTROL_TIMEOUT_MS })

/** The topologies that run; those of before while the control process does not answer. */
let topologies: readonly string[] = []

async function listTopologies(): Promise<void> {
  try {
    const answer = await control.call('topologies')
    if (Array.isArray(answer)) topologies = answer.map(String)
  } catch (error) {
    log.warn(`whether topologies started or stopped is not to be had: ${reasonOf(error)}`)
  }
}

async function read(topology: string): Promise<FabricMetrics> {
  const { counters: path } = fabricSockets(topology === '' ? undefined : topology)
  try {
    const answer = await callOnce(path, 'counters', {}, FABRIC_TIMEOUT_MS)
    return { topology, counters: parseFabricCounters(answer) }
  } catch (error) {
    log.warn(`counters of ${topology === '' ? 'the fabric' : topology} cannot be had: ${reasonOf(error)}`)
    return { topology, counters: undefined }
  }
}

async function collect(): Promise<string> {
  await listTopologies()
  const fabrics = await Promise.all(['', ...topologies].map(read))
  return formatMetrics(fabrics, { version, memoryOctets: process.memoryUsage.rss() })
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
