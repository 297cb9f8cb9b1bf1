/** `hybridge topology start`: a file set checked, put into the hub's library, started, and watched until it runs. */
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import type { CommandModule } from 'yargs'
import { ConfigError, ProtocolError } from '#net/base/errors.ts'
import type { RpcClient } from '#net/base/rpc.ts'
import { FILE } from '#net/cli/values.ts'
import { TOPOLOGY_NAME } from '#hub/base/topology-plan.ts'
import { withHub } from '#hub/command/ask-hub.ts'
import { type Context, print } from '#hub/command/context.ts'
import { readChecked } from '#hub/command/read-topology.ts'
import type { TopologyStatus } from '#hub/command/topology-status-text.ts'

/** Of an archive, in a request: below its limit in base64. */
const PART = 512 * 1024
const POLL_MS = 200
/** One that is being stopped is waited for. */
const START_TIMEOUT_MS = 60_000

interface Start {
  readonly path: string
  readonly name?: string | undefined
  readonly user?: string | undefined
  readonly replace: boolean
  readonly wait: boolean
  readonly json: boolean
  readonly data?: string | undefined
}

export const startCommand = (context: Context): CommandModule<object, Start> => ({
  command: 'start <path>',
  describe: 'Run a topology: a file set, which is kept in the library, or one of the library by its name',
  builder: (yargs) =>
    yargs
      .positional('path', {
        ...FILE,
        type: 'string',
        demandOption: true,
        describe: 'A file set (a directory, ZIP or tar.gz), a topology file, or a name in the library',
      })
      .option('name', {
        type: 'string',
        requiresArg: true,
        describe:
          'What it is called in the library; else as the directory or file, without .zip and the like',
      })
      .option('replace', {
        type: 'boolean',
        default: false,
        describe: 'In place of another one of that name in the library',
      })
      .option('user', { type: 'string', requiresArg: true, describe: 'Whose it is; else the operators’' })
      .option('wait', {
        type: 'boolean',
        default: true,
        describe: 'Wait until its devices run; --no-wait does not',
      })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON at the end, no progress' })
      .example('$0 topology start examples/two-lans', 'check it, keep it, run it')
      .example('$0 topology start two-lans', 'again, from the library')
      .example('$0 topology start lab.zip --name monday --user ann', 'under another name, for ann'),
  handler: async (options) => {
    const archive = existsSync(options.path) ? await packed(context, options.path) : undefined
    const name = options.name ?? nameOf(options.path)
    if (!TOPOLOGY_NAME.test(name))
      throw new ConfigError(
        `${JSON.stringify(name)} is no name of a topology: expected letters, digits, "." "_" and "-", at most 63 (--name)`,
      )
    if (!archive && options.path !== nameOf(options.path))
      throw new ConfigError(`cannot open ${options.path}: there is no such file or directory`)
    await withHub(context, options.data, async (hub) => {
      if (archive) await upload(hub, archive, name, options.replace)
      const { user } = options
      await hub.call('topology.start', { name, ...(user !== undefined && { owner: user }) }, START_TIMEOUT_MS)
      if (options.wait) await watch(context, hub, name, options.json)
      else if (!options.json) print(context, `${name} is starting`)
    })
  },
})

const nameOf = (path: string): string => basename(path).replace(/\.(?:zip|tar\.gz|tgz|vmm)$/i, '')

/** Checked, as an archive; what is wrong with it is told. @throws ConfigError */
async function packed(context: Context, path: string): Promise<Buffer> {
  await readChecked(context, path)
  const { openSet, openTopology } = await import('#hub/topology/open.ts')
  const { writeArchive } = await import('#hub/topology/archive.ts')
  const set = await openSet(path)
  if (set) return writeArchive(set.files, 'zip')
  const { file } = await openTopology(path)
  return writeArchive(new Map([['topology.vmm', Buffer.from(file.text)]]), 'zip')
}

async function upload(hub: RpcClient, archive: Buffer, name: string, replace: boolean): Promise<void> {
  for (let at = 0; at < archive.length; at += PART)
    await hub.call('library.put', { octets: archive.toString('base64', at, at + PART) })
  await hub.call('library.commit', { name, replace })
}

/** Tells what comes up, until all has. @throws ProtocolError when something does not */
async function watch(context: Context, hub: RpcClient, name: string, json: boolean): Promise<void> {
  const text = await import('#hub/command/topology-status-text.ts')
  const { StartProgress, summaryOf } = await import('#hub/command/start-progress.ts')
  const { LiveLine } = await import('#hub/command/live-line.ts')
  const progress = new StartProgress()
  const line = new LiveLine(context.stdout)
  const interrupted = new Interrupt()
  try {
    for (;;) {
      const all = text.parseTopologies(await hub.call('topology.status'))
      const topology = all.find((one) => one.name === name)
      if (!topology || topology.state === 'stopping')
        throw new ProtocolError('stopped', `${name} was stopped while it started`)
      if (!json && !line.isLive) for (const one of progress.linesOf(topology)) print(context, one)
      if (!json) line.show(`${name}: ${summaryOf(topology)}`)
      if (topology.state !== 'starting') {
        line.end()
        return finish(context, topology, json, text)
      }
      if (await interrupted.within(POLL_MS))
        throw new ProtocolError(
          'interrupted',
          `${name} goes on starting in the background: \`hybridge topology status ${name}\` shows it, ` +
            `\`hybridge topology stop ${name}\` ends it`,
        )
    }
  } finally {
    line.end()
    interrupted.close()
  }
}

function finish(
  context: Context,
  topology: TopologyStatus,
  json: boolean,
  text: typeof import('#hub/command/topology-status-text.ts'),
): void {
  const { name, state, devices } = topology
  const running = text.runningOf(topology)
  if (json) print(context, JSON.stringify(topology))
  if (state === 'running' && running === devices.length) {
    if (!json) print(context, text.formatDevices(topology))
    return
  }
  if (!json) print(context, text.formatDevices(topology))
  throw new ProtocolError(
    'failed',
    `${running} of ${devices.length} devices of ${name} run; what can be started is tried again ` +
      `(hybridge topology stop ${name} ends it)`,
  )
}

/** Ctrl-C, while there is something to say about it. */
class Interrupt {
  #pressed = false
  #wake: () => void = () => {}
  readonly #onSignal = (): void => {
    this.#pressed = true
    this.#wake()
  }

  constructor() {
    process.once('SIGINT', this.#onSignal)
  }

  /** @returns whether it was pressed by then */
  async within(ms: number): Promise<boolean> {
    if (this.#pressed) return true
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    return this.#pressed
  }

  close(): void {
    process.removeListener('SIGINT', this.#onSignal)
  }
}
