/**
 * A gateway process: the SSH front door. It reads the host key and binds its sockets, then drops to the least
 * privileged user there is before the first stranger is heard. Working directory: the data directory.
 */
import { readFileSync } from 'node:fs'
import { reasonOf } from '#net/base/errors.ts'
import { tuneHeapForStreaming } from '#net/base/heap.ts'
import { AUTH_SOCKET } from '#hub/base/data-directory.ts'
import { openChildLog } from '#hub/base/log.ts'
import { dropTo, processUsers } from '#hub/base/privilege.ts'
import { identityOf, readProcessConfig } from '#hub/base/process-config.ts'
import { claimSocketPath, listenRpc, RpcClient } from '#hub/base/rpc.ts'
import { listenShared } from '#hub/gateway/listen.ts'
import { SshDoor } from '#hub/gateway/ssh-door.ts'

export interface GatewayConfig {
  readonly address: string
  readonly port: number
  readonly hostKeyFile: string
  /** Users are told nothing of the ports of bridges. */
  readonly hidePorts: boolean
}

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
const { hidePorts } = config
const door = new SshDoor({ hostKey, accounts: new RpcClient(AUTH_SOCKET), hidePorts, log })
await claimSocketPath(`run/${name}.sock`)
await listenRpc(`run/${name}.sock`, {
  status: () => ({ ...identityOf(fingerprint), tunnels: door.tunnels }),
})
dropTo(users?.gateway, [])
await door.listen(fd)
log.info('ready')

const stop = async (): Promise<void> => {
  log.info('stopping')
  await door.close('the hub is stopping')
  // The socket's file is the supervisor's to remove: this user has no right to.
  process.exit(0)
}
process.once('SIGTERM', () => void stop())
process.once('SIGINT', () => void stop())
