/** `hybridge top`: the running hub on a full screen, or as JSON lines. */
import type { CommandModule } from 'yargs'
import { ConfigError } from '#net/base/errors.ts'
import { CONTROL_SOCKET } from '#hub/base/data-directory.ts'
import { RpcClient } from '#net/base/rpc.ts'
import { inDataDirectory } from '#hub/command/ask-hub.ts'
import type { Context } from '#hub/command/context.ts'
import { printable } from '#net/base/printable.ts'
import type { ViewSource } from '#net/view/source.ts'

interface Top {
  readonly bridge?: string | undefined
  readonly json: boolean
  readonly interval?: string | undefined
  readonly count?: string | undefined
  readonly data?: string | undefined
}

const ASK_TIMEOUT_MS = 3000
const INTERVAL_S = 1
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export const topCommand = (context: Context): CommandModule<object, Top> => ({
  command: 'top [bridge]',
  describe: 'Watch bridges, ports, tunnels and talkers on a full screen',
  builder: (yargs) =>
    yargs
      .positional('bridge', { type: 'string', describe: 'Only this bridge' })
      .option('json', { type: 'boolean', default: false, describe: 'Print a line of JSON each time' })
      .option('interval', { type: 'string', requiresArg: true, describe: 'Seconds between two lines (1)' })
      .option('count', { type: 'string', requiresArg: true, describe: 'End after so many lines' })
      .example('$0 top', 'all that the hub does; ? shows the keys')
      .example('$0 top private0', 'of one bridge')
      .example('$0 top --json --count 2', 'for programs: two readings'),
  handler: async ({ bridge, json, interval, count, data }) => {
    if (!json && (interval !== undefined || count !== undefined))
      throw new ConfigError('--interval and --count go with --json')
    const seconds = numberOf('--interval', interval, 0.1, 3600) ?? INTERVAL_S
    const lines = numberOf('--count', count, 1, 1e9) ?? Infinity
    if (!json) refuseNoTerminal(context)
    const directory = process.cwd()
    await inDataDirectory(context, data, async () => {
      const client = new RpcClient(CONTROL_SOCKET, { timeoutMs: ASK_TIMEOUT_MS })
      const { HubSource } = await import('#hub/top/source.ts')
      const source = new HubSource({
        title: `hybridge ${context.version}`,
        bridge,
        intervalSeconds: seconds,
        ask: (op, params) => client.call(op, params),
        directory,
      })
      try {
        // Before anything is shown: a hub that does not run, or has no such bridge, is an error.
        const first = await source.read()
        if (json) {
          const { stdout, stderr } = context
          const onAway = (reason: string): unknown => stderr.write(`hybridge: ${printable(reason)}\n`)
          const { printLines } = await import('#hub/top/lines.ts')
          await printLines(source, first, { intervalMs: seconds * 1000, count: lines, stdout, onAway })
        } else await show(context, source)
      } finally {
        client.close()
      }
    })
  },
})

/** Until the user quits, or a signal ends it. */
async function show({ env }: Context, source: ViewSource): Promise<void> {
  const { runView } = await import('#net/view/view.ts')
  const end = new AbortController()
  const stop = (): void => end.abort()
  for (const signal of SIGNALS) process.on(signal, stop)
  try {
    await runView(source, { input: process.stdin, output: process.stdout, env, signal: end.signal })
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop)
  }
}

/** @throws ConfigError */
function numberOf(name: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d{1,10}(\.\d{1,3})?$/.test(text) && value >= least && value <= most) return value
  throw new ConfigError(`${name} is a number from ${least} to ${most}, not "${text.slice(0, 64)}"`)
}

/** @throws ConfigError */
function refuseNoTerminal({ stdin, stdout, env }: Context): void {
  const isTerminal = 'isTTY' in stdin && stdin.isTTY && 'isTTY' in stdout && stdout.isTTY === true
  const term = env['TERM'] ?? ''
  const why = !isTerminal
    ? 'needs a terminal as standard input and output (through ssh: ssh -t)'
    : term === '' || term === 'dumb'
      ? `needs a terminal that can move its cursor, and TERM is ${term === '' ? 'not set' : term}`
      : ''
  if (why !== '')
    throw new ConfigError(
      `hybridge top ${why}; \`hybridge show ports\` and \`hybridge top --json\` do without`,
    )
}
