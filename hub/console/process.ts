/**
 * The telnet process of the running topology that its argument names: the consoles of its devices on TCP ports of
 * loopback. It runs as the gateways' user and reads nothing but its configuration. Working directory: the data directory.
 */
import { reasonOf } from '#net/base/errors.ts'
import { claimSocketPath, listenRpc } from '#net/base/rpc.ts'
import { openChildLog } from '#hub/base/log.ts'
import { dropTo, processUsers } from '#hub/base/privilege.ts'
import { identityOf, readProcessConfig } from '#hub/base/process-config.ts'
import { type TelnetConfig, telnetName, telnetSocket } from '#hub/console/telnet/config.ts'
import { ConsolePort } from '#hub/console/telnet/port.ts'

const topology = process.argv[2] ?? ''
const log = openChildLog(telnetName(topology))
const die = (error: unknown): never => {
  log.fatal({ err: error }, reasonOf(error))
  process.exit(1)
}
process.on('uncaughtException', die)
process.on('unhandledRejection', die)

const { text, fingerprint } = readProcessConfig(telnetName(topology))
const { devices }: TelnetConfig = JSON.parse(text)
const users = processUsers()
const ports = devices.map((device) => new ConsolePort(device))
await claimSocketPath(telnetSocket(topology))
await listenRpc(telnetSocket(topology), {
  status: () => ({ ...identityOf(fingerprint), problems: [] }),
  problems: () => ports.map(({ problem }) => problem),
})
// Ports below 1024 may be root's; nobody is accepted before privileges are dropped.
const listening = ports.map((port) => port.listen())
dropTo(users?.gateway, [])
await Promise.all(listening)
for (const { device, problem } of ports) if (problem !== '') log.warn(`${device.name}: ${problem}`)
log.info('ready')

// The socket's file is the supervisor's to remove: this user has no right to.
process.once('SIGTERM', () => process.exit(0))
process.once('SIGINT', () => process.exit(0))
