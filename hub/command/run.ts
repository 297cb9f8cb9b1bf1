/** The `hybridge` command line. */
import yargs, { type Argv } from 'yargs'
import { ConfigError, ProtocolError, SystemError, reasonOf } from '#net/base/errors.ts'
import { printable } from '#net/base/printable.ts'
import { type CommandDescription, describeCommandLine } from '#net/cli/description.ts'
import { DIRECTORY } from '#net/cli/values.ts'
import { bridgeCommand } from '#hub/command/bridge.ts'
import { captureCommand } from '#hub/command/capture.ts'
import { completionCommand } from '#hub/command/completion.ts'
import { connectorCommand } from '#hub/command/connector.ts'
import type { Context } from '#hub/command/context.ts'
import { deviceCommand } from '#hub/command/device.ts'
import { configCommand, serveCommand } from '#hub/command/serve.ts'
import { showCommand } from '#hub/command/show.ts'
import { topCommand } from '#hub/command/top.ts'
import { topologyCommand } from '#hub/command/topology.ts'
import { userCommand } from '#hub/command/user.ts'

const EXIT_OK = 0
const EXIT_FAILED = 1
const EXIT_USAGE = 2

/** Options that may be given more than once; `_`: the words that are no options. */
const REPEATED = ['_', 'bridge', 'attach', 'setting']

/** Wrong words on the command line. */
class UsageError extends Error {}

/** As yargs says it. */
const TOO_FEW_WORDS = /^Not enough non-option arguments: .*/

/** Runs one command. @returns the exit code */
export async function run(args: readonly string[], context: Context): Promise<number> {
  let code = EXIT_OK
  const parser = commandLine(yargs(), context, (result) => (code = result))
    .check((options) => {
      for (const [name, value] of Object.entries(options))
        if (Array.isArray(value) && !REPEATED.includes(name)) throw new UsageError(`--${name} is given twice`)
      return true
    }, true)
    .strict()
    .wrap(80)
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      throw error ?? new UsageError(message ?? 'wrong arguments')
    })
  try {
    await parser.parseAsync([...args], {}, (_error, _parsed, output) => {
      if (output) context.stdout.write(`${output}\n`)
    })
    return code
  } catch (error) {
    return report(error, context, args)
  }
}

/** Declares the command line: to yargs, and to who makes manual pages and completions of it. */
function commandLine(parser: Argv, context: Context, exit: (code: number) => void): Argv {
  return parser
    .scriptName('hybridge')
    .usage('$0 COMMAND [OPTION...]')
    .option('data', {
      ...DIRECTORY,
      type: 'string',
      requiresArg: true,
      global: true,
      describe: 'Data directory ($HYBRIDGE_DATA; /var/lib/hybridge as root; else ~/.local/state/hybridge)',
    })
    .command(serveCommand(context, exit))
    .command(userCommand(context))
    .command(showCommand(context))
    .command(topCommand(context))
    .command(bridgeCommand(context))
    .command(captureCommand(context))
    .command(connectorCommand(context))
    .command(topologyCommand(context))
    .command(deviceCommand(context))
    .command(configCommand(context))
    .command(completionCommand(context, () => describeHybridge(context)))
    .demandCommand(1, 'no command given')
    .example('$0 serve --bridge private0', 'run a hub')
    .example('$0 user add ann --key ann.pub', 'let ann join its bridges')
    .example('$0 show ports', 'see what passes')
    .example('$0 topology start examples/two-lans', 'run bridges and hosts between them')
    .epilogue('Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration.')
    .parserConfiguration({ 'strip-dashed': true, 'strip-aliased': true })
    .version(context.version)
    .help()
}

export const describeHybridge = (context: Context): CommandDescription =>
  describeCommandLine('hybridge', (declaring) => commandLine(declaring, context, () => {}))

function report(error: unknown, context: Context, args: readonly string[]): number {
  const { stderr, env } = context
  const isUsage = error instanceof UsageError || isParserError(error)
  const { path, synopsis } = commandOf(args, describeHybridge(context))
  const command = path.join(' ')
  const lines = reasonOf(error).replace(TOO_FEW_WORDS, `expected ${command} ${synopsis}`).split('\n')
  const hint = isUsage ? ` (see ${command} --help)` : ''
  for (const line of lines) stderr.write(`hybridge: ${printable(line)}${line === lines.at(-1) ? hint : ''}\n`)
  if (env['HYBRIDGE_DEBUG'] === '1' && error instanceof Error) stderr.write(`${error.stack ?? ''}\n`)
  if (isUsage || error instanceof ConfigError) return EXIT_USAGE
  if (!(error instanceof SystemError || error instanceof ProtocolError) && env['HYBRIDGE_DEBUG'] !== '1') {
    stderr.write('hybridge: this should not happen; HYBRIDGE_DEBUG=1 shows where it did\n')
  }
  return EXIT_FAILED
}

/** The command that the first words name. */
function commandOf([word, ...rest]: readonly string[], command: CommandDescription): CommandDescription {
  const named = command.commands.find(({ path }) => path.at(-1) === word)
  return named ? commandOf(rest, named) : command
}

const isParserError = (error: unknown): boolean => error instanceof Error && error.name === 'YError'
