/** `hybridge connector ...`: the bridges that agents may join, and the command that joins each. */
import type { CommandModule } from 'yargs'
import { askForRows, askHub } from '#hub/command/ask-hub.ts'
import { type Context, print } from '#hub/command/context.ts'

interface Common {
  readonly json: boolean
  readonly data?: string | undefined
}

const JSON_OPTION = { type: 'boolean', default: false, describe: 'Print JSON' } as const

const list = (
  context: Context,
): CommandModule<object, Common & { topology?: string | undefined; all: boolean }> => ({
  command: 'list [topology]',
  describe: 'List connector points, and who is connected',
  builder: (yargs) =>
    yargs
      .positional('topology', { type: 'string', describe: 'Only those of this topology' })
      .option('all', {
        type: 'boolean',
        default: false,
        describe: 'Also bridges without an interface, and those that nobody may join',
      })
      .option('json', JSON_OPTION)
      .example('$0 connector list', "of all topologies that run, and the hub's own bridges")
      .example('$0 connector list two-lans --all', 'every bridge that a topology names'),
  handler: async ({ topology, all, json, data }) => {
    const { formatConnectors, parseConnectors } = await import('#hub/command/connector-text.ts')
    const params = { all, ...(topology !== undefined && { topology }) }
    const rows = parseConnectors(await askForRows(context, data, 'connectors', params))
    print(context, json ? JSON.stringify(rows) : formatConnectors(rows))
  },
})

const show = (context: Context): CommandModule<object, Common & { connector: string }> => ({
  command: 'show <connector>',
  describe: 'Show ports and counters of a connector point, and the command that joins it',
  builder: (yargs) =>
    yargs
      .positional('connector', { type: 'string', demandOption: true, describe: 'TOPOLOGY/BRIDGE, or BRIDGE' })
      .option('json', JSON_OPTION)
      .example('$0 connector show two-lans/private0', 'its ports, and hconnect -u ... -b ... -s ...'),
  handler: async ({ connector, json, data }) => {
    const { formatConnector, joinCommand, parseConnector } = await import('#hub/command/connector-text.ts')
    const point = parseConnector(await askHub(context, data, 'connector', { name: connector }))
    const command = point.refusal === '' ? joinCommand(point) : null
    print(context, json ? JSON.stringify({ ...point, command }) : formatConnector(point))
  },
})

export const connectorCommand = (context: Context): CommandModule<object, object> => ({
  command: 'connector',
  describe: 'Show where agents may join, and who has',
  builder: (yargs) =>
    yargs
      .command(list(context))
      .command(show(context))
      .example('$0 connector list', 'which bridges may be joined')
      .demandCommand(1, 'which of: connector list, connector show?'),
  handler: () => {},
})
