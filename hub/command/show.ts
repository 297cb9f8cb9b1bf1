/** `hybridge show ...`: asks the running hub over its control socket. */
import type { CommandModule } from 'yargs'
import { askForRows } from '#hub/command/ask-hub.ts'
import { type Context, print } from '#hub/command/context.ts'

interface Query {
  readonly bridge?: string | undefined
  readonly json: boolean
  readonly data?: string | undefined
}

/** One thing that can be asked: `format` makes text of the answer, or JSON. */
const query = (
  context: Context,
  op: string,
  describe: string,
  format: (answer: unknown, json: boolean) => Promise<string>,
): CommandModule<object, Query> => ({
  command: `${op} [bridge]`,
  describe,
  builder: (yargs) =>
    yargs
      .positional('bridge', { type: 'string', describe: 'Only this bridge' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
      .example(`$0 show ${op}`, 'of all bridges')
      .example(`$0 show ${op} private0 --json`, 'of one, for programs'),
  handler: async ({ data, bridge, json }) => {
    const answer = await askForRows(context, data, op, bridge === undefined ? {} : { bridge })
    print(context, await format(answer, json))
  },
})

const ports = async (answer: unknown, json: boolean): Promise<string> => {
  const { formatPorts, parsePorts } = await import('#hub/command/show-text.ts')
  const rows = parsePorts(answer)
  if (json) return JSON.stringify(rows)
  return rows.length === 0 ? 'no ports' : formatPorts(rows)
}

const macs = async (answer: unknown, json: boolean): Promise<string> => {
  const { formatMacs, parseMacs } = await import('#hub/command/show-text.ts')
  const rows = parseMacs(answer)
  if (json) return JSON.stringify(rows)
  return rows.length === 0 ? 'no addresses learnt' : formatMacs(rows)
}

const vlans = async (answer: unknown, json: boolean): Promise<string> => {
  const { formatVlans, parseVlans } = await import('#hub/command/vlans-text.ts')
  const bridges = parseVlans(answer)
  return json ? JSON.stringify(bridges) : formatVlans(bridges)
}

const rstp = async (answer: unknown, json: boolean): Promise<string> => {
  const { formatRstp, parseRstp } = await import('#hub/command/rstp-text.ts')
  const rows = parseRstp(answer)
  if (json) return JSON.stringify(rows)
  return rows.length === 0 ? 'no bridges' : formatRstp(rows)
}

export const showCommand = (context: Context): CommandModule<object, object> => ({
  command: 'show',
  describe: 'Show what the running hub does',
  builder: (yargs) =>
    yargs
      .command(query(context, 'ports', 'Show ports with their counters', ports))
      .command(query(context, 'macs', 'Show learnt addresses', macs))
      .command(query(context, 'vlans', 'Show VLANs with their ports and counters', vlans))
      .command(query(context, 'rstp', 'Show the spanning tree', rstp))
      .example('$0 show ports private0', 'ports and counters of one bridge')
      .demandCommand(1, 'which of: show ports, show macs, show vlans, show rstp?'),
  handler: () => {},
})
