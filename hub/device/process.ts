/**
 * The process of one device: it runs in user, network and mount namespaces of its own, as root there and nobody here.
 * Its working directory is the device's (hub/base/device-paths.ts); it logs to its standard output.
 */
import { readFileSync } from 'node:fs'
import { reasonOf } from '#net/base/errors.ts'
import { claimSocketPath, listenRpc } from '#net/base/rpc.ts'
import { DEVICE_CONFIG, DEVICE_CONSOLE_SOCKET, DEVICE_SOCKET } from '#hub/base/device-paths.ts'
import { openDeviceLog } from '#hub/base/log.ts'
import { fingerprintOf, identityOf } from '#hub/base/process-config.ts'
import type { DeviceConfig } from '#hub/device/config.ts'
import { DeviceTaps } from '#hub/device/taps.ts'
import { DeviceConsole } from '#hub/device/console.ts'
import { runShell } from '#hub/device/shell.ts'

const text = readFileSync(DEVICE_CONFIG, 'utf8')
const config: DeviceConfig = JSON.parse(text)
const log = openDeviceLog(`${config.topology}:${config.device.name}`)
const die = (error: unknown): never => {
  log.fatal({ err: error }, reasonOf(error))
  process.exit(1)
}
process.on('uncaughtException', die)
process.on('unhandledRejection', die)

const taps = new DeviceTaps(config.device.interfaces)
const deviceConsole = new DeviceConsole()
await deviceConsole.listen(DEVICE_CONSOLE_SOCKET)
const endShell = runShell(deviceConsole.terminal)
await claimSocketPath(DEVICE_SOCKET)
const rpc = await listenRpc(
  DEVICE_SOCKET,
  { status: () => ({ ...identityOf(fingerprintOf(text)), problems: [] }) },
  { mode: 0o666 },
)
log.info('ready')

const stop = (): void => {
  log.info('stopping')
  taps.close()
  endShell()
  deviceConsole.close()
  void rpc.close().then(() => process.exit(0))
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
