/** `hybridge serve`: runs the hub. */
import { readFileSync } from 'node:fs'
import type { CommandModule } from 'yargs'
import { ConfigError, fileReasonOf } from '#net/base/errors.ts'
import { DIRECTORY, FILE } from '#net/cli/values.ts'
import { LOG_LEVELS } from '#hub/base/log.ts'
import type { ServeArguments } from '#hub/config.ts'
import { type Context, dataOf } from '#hub/command/context.ts'

interface Serve extends ServeArguments {
  readonly config?: string | undefined
}

export const serveCommand = (
  context: Context,
  exit: (code: number) => void,
): CommandModule<object, Serve> => ({
  command: 'serve',
  describe: 'Run the hub: bridges, and the SSH server that agents connect to',
  builder: (yargs) =>
    yargs
      .option('ssh', {
        type: 'string',
        requiresArg: true,
        describe: 'ADDRESS:PORT to serve on (0.0.0.0:2222)',
      })
      .option('public-address', {
        type: 'string',
        requiresArg: true,
        describe: 'HOST[:PORT] where agents reach it, for the commands that connector show prints (as --ssh)',
      })
      .option('bridge', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'NAME[,OPTION=VALUE...] of a bridge: ageing, rstp, vde, mgmt, ...; repeat for more',
      })
      .option('attach', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'BRIDGE=KIND:ARGUMENT[,OPTION=VALUE...]; kinds nic, tap, vde; repeat for more',
      })
      .option('vde', {
        ...DIRECTORY,
        type: 'string',
        requiresArg: true,
        describe: 'Directory with a VDE directory for each bridge: QEMU, UML, vde_plug plug in at DIR/BRIDGE',
      })
      .option('https', {
        type: 'string',
        requiresArg: true,
        describe: 'ADDRESS:PORT where agents come through HTTPS, hconnect -s wss://HOST (nowhere)',
      })
      .option('cert', { ...FILE, type: 'string', requiresArg: true, describe: 'Its certificate (PEM)' })
      .option('key', { ...FILE, type: 'string', requiresArg: true, describe: 'Its private key (PEM)' })
      .option('http', {
        type: 'string',
        requiresArg: true,
        describe: '127.0.0.1:PORT where a reverse proxy passes wss:// on (nowhere)',
      })
      .option('https-path', { type: 'string', requiresArg: true, describe: 'Path of the WebSocket (/)' })
      .option('gateways', { type: 'number', requiresArg: true, describe: 'SSH server processes (2)' })
      .option('management-network', {
        type: 'string',
        requiresArg: true,
        describe: 'NETWORK/LENGTH that topologies have their management networks of (10.255.0.0/16)',
      })
      .option('hide-ports', {
        type: 'boolean',
        describe: 'Tell users nothing of the ports of bridges (they may ask: hybridge ports)',
      })
      .option('metrics', {
        type: 'string',
        requiresArg: true,
        describe: 'ADDRESS:PORT where Prometheus may ask (nowhere)',
      })
      .option('log', {
        choices: LOG_LEVELS,
        requiresArg: true,
        describe: 'Least level that is logged (info)',
      })
      .option('config', { ...FILE, type: 'string', requiresArg: true, describe: 'File with all this (YAML)' })
      .example('$0 serve --bridge private0', 'a bridge that agents join')
      .example('$0 serve --bridge private0 --attach private0=nic:eth1', 'joined to a network card, too')
      .example('$0 serve --bridge private0 --vde /tmp/vde', 'QEMU, vde_plug plug in at /tmp/vde/private0')
      .example('$0 serve --bridge private0,mgmt,rstp=on', 'a console for operators, a spanning tree')
      .example('$0 serve --config /etc/hybridge.yaml', 'the same from a file (hybridge config schema)'),
  handler: async ({ config: file, ...args }) => {
    const { mergeConfig, parseConfigFile } = await import('#hub/config.ts')
    const written = file === undefined ? undefined : parseConfigFile(readConfig(file), file)
    const config = mergeConfig(args, written, dataOf(context, undefined))
    const { serve } = await import('#hub/supervisor/serve.ts')
    exit(await serve(config, context.version))
  },
})

function readConfig(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`cannot read configuration ${file}: ${fileReasonOf(error)}`, { cause: error })
  }
}

export const configCommand = (context: Context): CommandModule<object, object> => ({
  command: 'config',
  describe: 'About the configuration file of `hybridge serve`',
  builder: (yargs) =>
    yargs
      .command({
        command: 'schema',
        describe: 'Print its JSON schema, for editors',
        builder: (y) => y.example('$0 config schema > hybridge.schema.json', 'for an editor'),
        handler: async () => {
          const [{ ConfigFile }, { z }] = await Promise.all([import('#hub/config.ts'), import('zod')])
          context.stdout.write(`${JSON.stringify(z.toJSONSchema(ConfigFile, { io: 'input' }), null, 2)}\n`)
        },
      })
      .demandCommand(1, 'which of: config schema?'),
  handler: () => {},
})
