/** `hybridge device ...`: devices of running topologies. */
import type { CommandModule } from 'yargs'
import { ProtocolError } from '#net/base/errors.ts'
import { withHub } from '#hub/command/ask-hub.ts'
import { type Context, print } from '#hub/command/context.ts'
import { deviceConsoleCommand } from '#hub/command/device-console.ts'

interface Device {
  readonly device: string
  readonly data?: string | undefined
}
interface List {
  readonly topology?: string | undefined
  readonly json: boolean
  readonly data?: string | undefined
}

/** It is given time to end and to start. */
const RESET_TIMEOUT_MS = 60_000

const listCommand = (context: Context): CommandModule<object, List> => ({
  command: 'list [topology]',
  describe: 'List devices, their state and consoles',
  builder: (yargs) =>
    yargs
      .positional('topology', { type: 'string', describe: 'Only of this topology' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
      .example('$0 device list', 'of all running topologies')
      .example('$0 device list two-lans --json', 'of one, for programs'),
  handler: async ({ topology, json, data }) => {
    const text = await import('#hub/command/topology-status-text.ts')
    const answer = await withHub(context, data, (hub) => hub.call('topology.status'))
    const running = text.parseTopologies(answer)
    const wanted = running.filter(({ name }) => topology === undefined || name === topology)
    if (topology !== undefined && wanted.length === 0)
      throw new ProtocolError('not-running', `no topology ${JSON.stringify(topology)} is running`)
    const found = wanted.flatMap(({ name, devices }) =>
      devices.map((device) => ({ ...device, topology: name })),
    )
    if (json) print(context, JSON.stringify(found))
    else if (found.length === 0) print(context, 'no devices')
    else
      print(
        context,
        text.formatDeviceTable(
          found.map((device) => ({ shown: `${device.topology}/${device.name}`, device })),
        ),
      )
  },
})

/** Something done to one device. @param done  what is said then */
const action = (
  context: Context,
  name: 'reset' | 'rebuild',
  describe: string,
  done: string,
): CommandModule<object, Device> => ({
  command: `${name} <device>`,
  describe,
  builder: (yargs) =>
    yargs
      .positional('device', {
        type: 'string',
        demandOption: true,
        describe: 'DEVICE, or TOPOLOGY/DEVICE when several topologies have one of that name',
      })
      .example(`$0 device ${name} pc1`, '')
      .example(`$0 device ${name} two-lans/pc1`, 'where other topologies have a pc1, too'),
  handler: async ({ device: word, data }) => {
    const { fullName, parseDevice } = await import('#hub/console/device.ts')
    await withHub(context, data, async (hub) => {
      const found = parseDevice(await hub.call('device.find', { device: word }))
      const { topology, device } = found
      await hub.call(`device.${name}`, { topology, device }, RESET_TIMEOUT_MS)
      print(context, `${fullName(found)} ${done}`)
    })
  },
})

export const deviceCommand = (context: Context): CommandModule<object, object> => ({
  command: 'device',
  describe: 'List, look at, reset and rebuild devices of running topologies',
  builder: (yargs) =>
    yargs
      .command(listCommand(context))
      .command(deviceConsoleCommand(context))
      .command(action(context, 'reset', 'Switch a device off and on; its disk stays', 'is on again'))
      .command(
        action(
          context,
          'rebuild',
          'Switch a device off, and on with its original disk and configuration',
          'is on again with its original disk',
        ),
      )
      .demandCommand(1, 'which of: device list, device console, device reset, device rebuild?'),
  handler: () => {},
})
