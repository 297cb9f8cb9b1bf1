/** `hybridge bridge ...`: changes bridges and ports of the running hub. */
import type { CommandModule } from 'yargs'
import { ConfigError } from '#net/base/errors.ts'
import { askForRows, askHub } from '#hub/command/ask-hub.ts'
import { type Context, print } from '#hub/command/context.ts'

interface Bridge {
  readonly bridge: string
  readonly data?: string | undefined
}
interface Settings {
  readonly setting: readonly string[]
}

const HOLD = 'All settings are made, or none. They hold until they are set again or the hub ends.'
const PORT_SETTINGS = `Settings:
  mode=transparent|access|trunk|tunnel,...          VLANs of the port
  block=dhcp+ra+bpdu+pause|none  storm=N|off        guards; N frames a second
  mirror=3+in:4+out:5|none                          copies of other ports
  impair=... impair-in=... impair-out=...           delay, loss, rate, ...
  link=up|down                                      the cable pulled
  edge=auto|yes|no cost=N|auto stp-priority=N       spanning tree
  p2p=auto|yes|no mcheck=now

${HOLD}`
const BRIDGE_SETTINGS = `Settings:
  ageing=SECONDS                                    of learnt addresses
  rstp=on|off priority=N                            spanning tree
  hello=SECONDS max-age=SECONDS forward-delay=SECONDS
  loop-protection=on|off

${HOLD}`

/** `NAME=VALUE`, the value up to the end of the word. */
function parseSettings(words: readonly string[]): Record<string, string> {
  const settings: Record<string, string> = {}
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals < 1) throw new ConfigError(`"${word}" is no SETTING=VALUE, as mode=access,vlan=10`)
    const name = word.slice(0, equals)
    if (Object.hasOwn(settings, name)) throw new ConfigError(`${name} is given twice`)
    settings[name] = word.slice(equals + 1)
  }
  return settings
}

/** A number, or what is plugged in. */
function parsePort(text: string): number | string {
  if (!/^\d*$/.test(text)) return text
  const port = Number(text)
  if (text === '' || port < 1 || port > 1024)
    throw new ConfigError(`"${text}" is no port: ports are numbered 1 to 1024 (see hybridge show ports)`)
  return port
}

const portSet = (context: Context): CommandModule<object, Bridge & Settings & { port: string }> => ({
  command: 'set <bridge> <port> <setting..>',
  describe: 'Change a port while it runs',
  builder: (yargs) =>
    yargs
      .positional('bridge', { type: 'string', demandOption: true, describe: 'Name of the bridge' })
      .positional('port', { type: 'string', demandOption: true, describe: 'Its number, or name: h1:em0' })
      .positional('setting', { type: 'string', array: true, demandOption: true, describe: 'NAME=VALUE' })
      .example('$0 bridge port set private0 3 mode=access,vlan=10', 'untagged frames of VLAN 10')
      .example('$0 bridge port set private0 3 mode=trunk,native=1,tagged=10+20-29', 'a trunk')
      .example('$0 bridge port set private0 3 mode=tunnel,qnq=100,strict=1', 'QinQ')
      .example('$0 bridge port set private0 3 block=dhcp+ra storm=1000', 'guards')
      .example('$0 bridge port set private0 7 mirror=3+4', 'copies of ports 3 and 4 to 7')
      .example('$0 bridge port set private0 3 impair=delay=50ms,loss=1%', 'a bad link')
      .example('$0 bridge port set private0 3 mode=transparent impair=none', 'as it was')
      .example('$0 bridge port set two/lan h1:em0 link=down', 'of a device, by its name')
      .epilogue(PORT_SETTINGS),
  handler: async ({ bridge, port, setting, data }) => {
    const settings = parseSettings(setting)
    await askHub(context, data, 'port.set', { bridge, port: parsePort(port), settings })
  },
})

const portReset = (context: Context): CommandModule<object, Bridge & { port?: string | undefined }> => ({
  command: 'reset <bridge> [port]',
  describe: 'Set counters to 0',
  builder: (yargs) =>
    yargs
      .positional('bridge', { type: 'string', demandOption: true, describe: 'Name of the bridge' })
      .positional('port', { type: 'string', describe: 'Only this port' })
      .example('$0 bridge port reset private0', 'of all its ports and VLANs')
      .example('$0 bridge port reset private0 3', 'of port 3'),
  handler: async ({ bridge, port, data }) => {
    await askHub(context, data, 'counters.reset', {
      bridge,
      ...(port !== undefined && { port: parsePort(port) }),
    })
  },
})

const bridgeSet = (context: Context): CommandModule<object, Bridge & Settings> => ({
  command: 'set <bridge> <setting..>',
  describe: 'Change a bridge while it runs',
  builder: (yargs) =>
    yargs
      .positional('bridge', { type: 'string', demandOption: true, describe: 'Name of the bridge' })
      .positional('setting', { type: 'string', array: true, demandOption: true, describe: 'NAME=VALUE' })
      .example('$0 bridge set private0 ageing=60', 'forget silent addresses after a minute')
      .example('$0 bridge set private0 rstp=on priority=4096', 'a spanning tree, likely its root')
      .epilogue(BRIDGE_SETTINGS),
  handler: async ({ bridge, setting, data }) => {
    await askHub(context, data, 'bridge.set', { bridge, settings: parseSettings(setting) })
  },
})

const list = (context: Context): CommandModule<object, { json: boolean; data?: string | undefined }> => ({
  command: 'list',
  describe: 'List bridges and what was set on them',
  builder: (yargs) =>
    yargs
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
      .example('$0 bridge list --json', 'for programs'),
  handler: async ({ json, data }) => {
    const { formatBridges, parseBridges } = await import('#hub/command/show-text.ts')
    const rows = parseBridges(await askForRows(context, data, 'bridges', {}))
    print(context, json ? JSON.stringify(rows) : formatBridges(rows))
  },
})

export const bridgeCommand = (context: Context): CommandModule<object, object> => ({
  command: 'bridge',
  describe: 'Change bridges and ports of the running hub',
  builder: (yargs) =>
    yargs
      .command(list(context))
      .command(bridgeSet(context))
      .command({
        command: 'port',
        describe: 'Change ports',
        builder: (ports) =>
          ports
            .command(portSet(context))
            .command(portReset(context))
            .example('$0 bridge port set private0 3 link=down', 'change port 3')
            .example('$0 bridge port reset private0 3', 'its counters to 0')
            .demandCommand(1, 'which of: bridge port set, bridge port reset?'),
        handler: () => {},
      })
      .example('$0 bridge port set private0 3 mode=access,vlan=10', 'change port 3')
      .example('$0 bridge set private0 rstp=on', 'change the bridge')
      .demandCommand(1, 'which of: bridge list, bridge set, bridge port?'),
  handler: () => {},
})
