/** `hybridge show ...`: asks the running hub over its control socket. */
import type { CommandModule } from 'yargs'
import { SystemError } from '#net/base/errors.ts'
import { CONTROL_SOCKET, requireDataDirectory } from '#hub/base/data-directory.ts'
import { RpcClient } from '#hub/base/rpc.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { type Context, dataOf, print } from '#hub/command/context.ts'

interface Query {
  readonly bridge?: string | undefined
  readonly json: boolean
  readonly data?: string | undefined
}

async function ask(context: Context, op: string, { data, bridge }: Query): Promise<unknown> {
  const directory = dataOf(context, data)
  requireDataDirectory(directory)
  const before = process.cwd()
  try {
    // The name of a socket is at most 107 octets long; from here it is short wherever the directory is.
    process.chdir(directory)
  } catch (error) {
    const code = errnoOf(error)
    throw new SystemError(
      code,
      `cannot enter data directory ${directory}: ${code} (run as root or as the hub's user)`,
    )
  }
  const client = new RpcClient(CONTROL_SOCKET)
  try {
    return await client.call(op, bridge === undefined ? {} : { bridge })
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    const why =
      error.code === 'EACCES'
        ? "permission denied (run as root or as the hub's user)"
        : 'no hub runs there (start one with `hybridge serve`, or name another directory with --data)'
    throw new SystemError(error.code, `cannot ask the hub of ${directory}: ${why}`, { cause: error })
  } finally {
    client.close()
    process.chdir(before)
  }
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
  handler: async (args) => {
    print(context, await format(await ask(context, op, args), args.json))
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

export const showCommand = (context: Context): CommandModule<object, object> => ({
  command: 'show',
  describe: 'Show what the running hub does',
  builder: (yargs) =>
    yargs
      .command(query(context, 'ports', 'Show ports with their counters', ports))
      .command(query(context, 'macs', 'Show learnt addresses', macs))
      .example('$0 show ports private0', 'ports and counters of one bridge')
      .demandCommand(1, 'which of: show ports, show macs?'),
  handler: () => {},
})
