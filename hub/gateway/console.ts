/** A device's console for a user of the SSH port: `ssh -t -p 2222 ann@hub console h1`. */
import type { ServerChannel } from 'ssh2'
import { printable } from '#net/base/printable.ts'
import type { RpcClient } from '#net/base/rpc.ts'
import { DEVICE_CONSOLE_SOCKET, deviceDirectory } from '#hub/base/device-paths.ts'
import type { Logger } from '#hub/base/log.ts'
import { fullName, parseDevice, parseDevices, whyGone } from '#hub/console/device.ts'
import { noticeOn, TERMINAL_RESET } from '#hub/console/terminal-text.ts'
import { ConsoleViewer } from '#hub/console/viewer.ts'
import type { ClientTerminal } from '#hub/gateway/client-terminal.ts'

interface ConsoleCaller {
  readonly user: string
  /** Where from, for the others. */
  readonly address: string
  readonly terminal: ClientTerminal
  /** The control process, which knows the devices. */
  readonly accounts: Pick<RpcClient, 'call'>
  readonly log: Logger
}

/** The devices of a user, one a line, or as JSON. @throws ProtocolError, SystemError */
export async function deviceList(
  accounts: Pick<RpcClient, 'call'>,
  user: string,
  json: boolean,
): Promise<string> {
  const devices = parseDevices(await accounts.call('devices', { user }))
  if (json) return `${JSON.stringify(devices)}\n`
  return devices.map((device) => `${fullName(device)}\t${device.state}\n`).join('')
}

/**
 * Runs until the user leaves. With a terminal what the hub says goes there, too; else to standard error.
 * @throws ProtocolError, SystemError when it does not begin
 */
export async function serveConsole(
  channel: ServerChannel,
  wanted: string,
  { user, address, terminal, accounts, log }: ConsoleCaller,
): Promise<void> {
  channel.on('error', () => {}) // 'close' follows
  const find = async () => parseDevice(await accounts.call('device.find', { user, device: wanted }))
  const found = await find()
  if (!channel.writable) return
  const name = fullName(found)
  log.info({ user, address }, `${printable(user)} looks at the console of ${name} from ${address}`)
  const notice = (text: string): void => {
    if (!channel.writable) return
    if (terminal.isThere) channel.write(noticeOn(text))
    else channel.stderr.write(`${text}\n`)
  }
  if (terminal.isThere) notice(`console of ${name}; Ctrl-] ? helps`)
  const viewer = new ConsoleViewer({
    socket: `${deviceDirectory(found.topology, found.number)}/${DEVICE_CONSOLE_SOCKET}`,
    device: name,
    viewer: `${user} from ${address}`,
    terminal: terminal.size,
    hasMenu: terminal.isThere,
    end: {
      write: (octets) => channel.writable && channel.write(octets),
      notice,
      ended: (why) => {
        if (!channel.writable) return
        if (terminal.size) channel.write(TERMINAL_RESET)
        if (why !== undefined) notice(why)
        channel.exit(why === undefined ? 0 : 1)
        channel.end()
      },
      listen: (isListening) => {
        if (isListening) channel.resume()
        else channel.pause()
      },
    },
    whyGone: () => whyGone(find),
  })
  terminal.onResize = (size) => viewer.resize(size)
  channel.on('data', (octets: Buffer) => viewer.input(octets))
  channel.on('drain', () => viewer.resume())
  channel.on('end', () => viewer.inputEnded())
  channel.on('close', () => viewer.close())
}
