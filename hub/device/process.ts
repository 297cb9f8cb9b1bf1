/**
 * The process of one device: it runs in user, network and mount namespaces of its own, as root there and nobody here.
 * Its working directory is the device's (hub/base/device-paths.ts); it logs to its standard output.
 */
import { readFileSync } from 'node:fs'
import { reasonOf } from '#net/base/errors.ts'
import { claimSocketPath, listenRpc } from '#net/base/rpc.ts'
import { DEVICE_CONFIG, DEVICE_CONSOLE_SOCKET, DEVICE_SOCKET } from '#hub/base/device-paths.ts'
import { openDeviceLog } from '#hub/base/log.ts'
import { dropTo } from '#hub/base/privilege.ts'
import { fingerprintOf, identityOf } from '#hub/base/process-config.ts'
import type { DeviceConfig } from '#hub/device/config.ts'
import { DeviceConsole } from '#hub/device/console.ts'
import { setUpHost } from '#hub/device/host/host-setup.ts'
import { hasUsers, secretsOfHub } from '#hub/device/host/surroundings.ts'
import { World } from '#hub/device/host/world.ts'
import { DeviceTaps } from '#hub/device/taps.ts'

const text = readFileSync(DEVICE_CONFIG, 'utf8')
const config: DeviceConfig = JSON.parse(text)
const log = openDeviceLog(`${config.topology}:${config.device.name}`)
const die = (error: unknown): never => {
  log.fatal({ err: error }, reasonOf(error))
  process.exit(1)
}
process.on('uncaughtException', die)
process.on('unhandledRejection', die)

const deviceConsole = new DeviceConsole()
await deviceConsole.listen(DEVICE_CONSOLE_SOCKET)
const taps = new DeviceTaps(config.device.interfaces)
const { network, boot } = await setUpHost(config.device, log)
const world = await World.start({
  hostname: config.device.hostname,
  diskMb: config.diskMb,
  watchedMemoryMb: config.isLimited ? undefined : config.memoryMb,
  hasUsers: hasUsers(),
  console: deviceConsole.terminal,
  boot,
  resolver: '',
  secrets: secretsOfHub(),
  log,
})
network.followResolver((resolver) => world.setResolver(resolver))
dropTo(undefined, [])
await claimSocketPath(DEVICE_SOCKET)
const rpc = await listenRpc(
  DEVICE_SOCKET,
  { status: () => ({ ...identityOf(fingerprintOf(text)), problems: [] }) },
  { mode: 0o666 },
)
log.info('ready')

let stopping: Promise<void> | undefined
const stop = async (): Promise<void> => {
  log.info('stopping')
  await world.stop()
  network.close()
  taps.close()
  deviceConsole.close()
  await rpc.close()
}
const end = (code: number): void => {
  stopping ??= stop().then(() => process.exit(code))
}
process.on('SIGTERM', () => end(0))
process.on('SIGINT', () => end(0))
const why = await world.ended
if (stopping === undefined) log.error(`its first process ended (${why})`)
end(1)
