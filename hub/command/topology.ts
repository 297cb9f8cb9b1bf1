/** `hybridge topology ...`: topology files checked, formatted and drawn, which needs no hub; and run. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { FILE } from '#net/cli/values.ts'
import { TOPOLOGY_NAME } from '#hub/base/topology-plan.ts'
import { type Context, dataOf, print } from '#hub/command/context.ts'
import { readChecked } from '#hub/command/read-topology.ts'
import { startCommand } from '#hub/command/topology-start.ts'
import { deleteCommand, listCommand, statusCommand, stopCommand } from '#hub/command/topology-run.ts'

interface Path {
  readonly path: string
  readonly data?: string | undefined
}

const topologyPath = {
  ...FILE,
  type: 'string',
  demandOption: true,
  describe: 'A topology file, or a file set: a directory, ZIP, tar.gz, or a name in the library',
} as const

const checkCommand = (context: Context): CommandModule<object, Path & { json: boolean }> => ({
  command: 'check <path>',
  describe: 'Check a topology, show its devices and bridges',
  builder: (yargs) =>
    yargs
      .positional('path', topologyPath)
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
      .example('$0 topology check examples/two-lans', 'a file set')
      .example('$0 topology check lab.vmm', 'a file alone: what it installs is not looked for'),
  handler: async ({ path, json, data }) => {
    const topology = await readChecked(context, whereIs(context, data, path))
    const { formatTopology, topologyJson } = await import('#hub/command/topology-text.ts')
    print(context, json ? topologyJson(topology) : formatTopology(topology))
  },
})

const formatCommand = (context: Context): CommandModule<object, { file: string; write: boolean }> => ({
  command: 'format <file>',
  describe: 'Indent a topology file; its lines, comments and macros stay',
  builder: (yargs) =>
    yargs
      .positional('file', { ...FILE, type: 'string', demandOption: true, describe: 'A topology file' })
      .option('write', {
        type: 'boolean',
        default: false,
        describe: 'Change the file instead of printing it',
      })
      .example('$0 topology format lab.vmm', 'print it indented')
      .example('$0 topology format --write lab.vmm', 'change the file'),
  handler: async ({ file, write }) => {
    const { openTopology } = await import('#hub/topology/open.ts')
    const { formatSource } = await import('#hub/topology/format.ts')
    const opened = (await openTopology(file)).file
    const formatted = formatSource(opened.text)
    if (!write) context.stdout.write(formatted)
    else if (formatted !== opened.text) rewrite(opened.name, formatted)
  },
})

/** @throws ConfigError */
function rewrite(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    const reason = errnoOf(error) === 'ENOTDIR' ? 'it is in an archive (unpack that first)' : reasonOf(error)
    throw new ConfigError(`cannot write ${file}: ${reason}`, { cause: error })
  }
}

const graphCommand = (context: Context): CommandModule<object, Path & { as: string }> => ({
  command: 'graph <path>',
  describe: 'Draw devices and bridges',
  builder: (yargs) =>
    yargs
      .positional('path', topologyPath)
      .option('as', {
        choices: ['svg', 'mermaid'],
        default: 'svg',
        requiresArg: true,
        describe: 'What to print',
      })
      .example('$0 topology graph examples/two-lans > two-lans.svg', 'a picture')
      .example('$0 topology graph --as mermaid lab.vmm', 'text for Markdown'),
  handler: async ({ path, as, data }) => {
    const topology = await readChecked(context, whereIs(context, data, path))
    const { mermaidGraph, svgGraph } = await import('#hub/topology/graph.ts')
    context.stdout.write(as === 'svg' ? svgGraph(topology) : mermaidGraph(topology))
  },
})

const packCommand = (context: Context): CommandModule<object, Path & { archive: string }> => ({
  command: 'pack <path> <archive>',
  describe: 'Make an archive of a file set',
  builder: (yargs) =>
    yargs
      .positional('path', { ...topologyPath, describe: 'A file set: a directory, ZIP or tar.gz' })
      .positional('archive', {
        ...FILE,
        type: 'string',
        demandOption: true,
        describe: 'A new file: NAME.zip or NAME.tar.gz',
      })
      .example('$0 topology pack two-lans two-lans.zip', ''),
  handler: async ({ path, archive }) => {
    const { openSet } = await import('#hub/topology/open.ts')
    const { writeArchive } = await import('#hub/topology/archive.ts')
    const kind = /\.zip$/i.test(archive) ? 'zip' : /\.(?:tar\.gz|tgz)$/i.test(archive) ? 'tar.gz' : undefined
    if (kind === undefined)
      throw new ConfigError(`${archive}: expected a name that ends with .zip or .tar.gz`)
    const set = await openSet(path)
    if (set === undefined)
      throw new ConfigError(`${path} is no file set: expected a directory, a ZIP or a tar.gz`)
    const octets = await writeArchive(set.files, kind)
    try {
      writeFileSync(archive, octets, { flag: 'wx' })
    } catch (error) {
      const reason = errnoOf(error) === 'EEXIST' ? 'it is there already' : reasonOf(error)
      throw new ConfigError(`cannot write ${archive}: ${reason}`, { cause: error })
    }
    print(context, `${archive}: ${set.files.size} files, ${octets.length} octets`)
  },
})

/** A file where there is one, else a set of the hub's library. */
function whereIs(context: Context, data: string | undefined, path: string): string {
  const set = join(dataOf(context, data), 'topologies', path, 'set')
  return !existsSync(path) && TOPOLOGY_NAME.test(path) && existsSync(set) ? set : path
}

const SUBCOMMANDS = ['check', 'format', 'graph', 'pack', 'start', 'stop', 'status', 'list', 'delete']

export const topologyCommand = (context: Context): CommandModule<object, object> => ({
  command: 'topology',
  describe: 'Check, draw and run topologies',
  builder: (yargs) =>
    yargs
      .command(startCommand(context))
      .command(stopCommand(context))
      .command(statusCommand(context))
      .command(listCommand(context))
      .command(deleteCommand(context))
      .command(checkCommand(context))
      .command(formatCommand(context))
      .command(graphCommand(context))
      .command(packCommand(context))
      .example('$0 topology start examples/two-lans', 'check it, keep it in the library, run it')
      .demandCommand(1, `which of: ${SUBCOMMANDS.map((name) => `topology ${name}`).join(', ')}?`),
  handler: () => {},
})
