/**
 * A gateway process: the SSH front door. It reads the host key and binds its sockets, then drops to the least
 * privileged user there is before the first stranger is heard. Working directory: the data directory.
 */
import { readFileSync } from 'node:fs'
import { reasonOf } from '#net/base/errors.ts'
import { textOr } from '#net/base/unknown.ts'
import { tuneHeapForStreaming } from '#net/base/heap.ts'
import { AUTH_SOCKET } from '#hub/base/data-directory.ts'
import { fabricSockets, topologyOf } from '#hub/base/fabric-sockets.ts'
import type { WebConfig } from '#hub/config.ts'
import { openChildLog } from '#hub/base/log.ts'
import { dropTo, processUsers } from '#hub/base/privilege.ts'
import { identityOf, readProcessConfig } from '#hub/base/process-config.ts'
import { callOnce, claimSocketPath, listenRpc, RpcClient } from '#net/base/rpc.ts'
import { bufferLimits } from '#net/port/far-buffers.ts'
import { listenShared } from '#hub/gateway/listen.ts'
import { PortsAnswer } from '#hub/gateway/ports.ts'
import { SshDoor } from '#hub/gateway/ssh-door.ts'
import { type Certificate, WebDoor } from '#hub/gateway/web-door.ts'

export interface GatewayConfig {
  readonly address: string
  readonly port: number
  readonly hostKeyFile: string
  /** Users are told nothing of the ports of bridges. */
  readonly hidePorts: boolean
  readonly web?: WebConfig
}

const PORTS_TIMEOUT_MS = 3000

tuneHeapForStreaming()
const name = process.argv[2] ?? 'gateway-1'
const log = openChildLog(name)
const die = (error: unknown): never => {
  log.fatal({ err: error }, reasonOf(error))
  process.exit(1)
}
process.on('uncaughtException', die)
process.on('unhandledRejection', die)

const { text, fingerprint } = readProcessConfig(name)
const config: GatewayConfig = JSON.parse(text)
const users = processUsers()
const hostKey = readFileSync(config.hostKeyFile)
const fd = listenShared(config.address, config.port)
const ports = new PortsAnswer({
  ask: (bridge) =>
    callOnce(fabricSockets(topologyOf(bridge)).counters, 'ports', { bridge }, PORTS_TIMEOUT_MS),
  isHidden: config.hidePorts,
  now: () => performance.now(),
})
const accounts = new RpcClient(AUTH_SOCKET)
// As they are for the socket above: the right to more is lost below.
const door = new SshDoor({ hostKey, accounts, ports, buffers: bufferLimits('accepted'), log })
const { web: { https, http, path = '/' } = {} } = config
const httpsFd = https && listenShared(https.address, https.port, '--https')
const httpFd = http && listenShared(http.address, http.port, '--http')
const web = new WebDoor({
  path,
  certificate: https && { cert: readFileSync(https.cert, 'utf8'), key: readFileSync(https.key, 'utf8') },
  onCaller: (caller) => door.accept(caller),
  log,
})
await claimSocketPath(`run/${name}.sock`)
await listenRpc(`run/${name}.sock`, {
  status: () => ({ ...identityOf(fingerprint), tunnels: door.tunnels }),
  // The files are not this user's to read any more.
  certificate: ({ cert, key }) => {
    if (https) web.replaceCertificate({ cert: textOr(cert, ''), key: textOr(key, '') } satisfies Certificate)
    return {}
  },
})
dropTo(users?.gateway, [])
await door.listen(fd)
if (httpsFd !== undefined) await web.listen(httpsFd, false)
if (httpFd !== undefined) await web.listen(httpFd, true)
log.info('ready')

const stop = async (): Promise<void> => {
  log.info('stopping')
  web.close()
  await door.close('the hub is stopping')
  // The socket's file is the supervisor's to remove: this user has no right to.
  process.exit(0)
}
process.once('SIGTERM', () => void stop())
process.once('SIGINT', () => void stop())
