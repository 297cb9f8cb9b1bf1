/** `hybridge topology stop|status|list|delete`: what the running hub is told and asked about topologies. */
import type { CommandModule } from 'yargs'
import { ProtocolError } from '#net/base/errors.ts'
import { askHub } from '#hub/command/ask-hub.ts'
import { type Context, print } from '#hub/command/context.ts'

interface Name {
  readonly name: string
  readonly data?: string | undefined
}
interface Shown {
  readonly json: boolean
  readonly data?: string | undefined
}

/** Devices are given time to end. */
const STOP_TIMEOUT_MS = 70_000

const name = { type: 'string', demandOption: true, describe: 'Name of the topology' } as const
const json = { type: 'boolean', default: false, describe: 'Print JSON' } as const

export const stopCommand = (context: Context): CommandModule<object, Name & { force: boolean }> => ({
  command: 'stop <name>',
  describe: 'Switch all devices of a topology off; what they keep is there at the next start',
  builder: (yargs) =>
    yargs
      .positional('name', name)
      .option('force', {
        type: 'boolean',
        default: false,
        describe: 'At once, as if the power failed: the last seconds of disks are lost',
      })
      .example('$0 topology stop two-lans', 'devices keep their disks'),
  handler: async ({ name: topology, force, data }) => {
    await askHub(context, data, 'topology.stop', { name: topology, force }, STOP_TIMEOUT_MS)
    print(context, `${topology} is stopped`)
  },
})

export const statusCommand = (
  context: Context,
): CommandModule<object, Shown & { name?: string | undefined }> => ({
  command: 'status [name]',
  describe: 'Show the running topologies, or the devices of one',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', describe: 'Name of the topology' })
      .option('json', json)
      .example('$0 topology status', 'all that run')
      .example('$0 topology status two-lans', 'its devices, their consoles, what is wrong'),
  handler: async ({ name: wanted, json: isJson, data }) => {
    const text = await import('#hub/command/topology-status-text.ts')
    const all = text.parseTopologies(await askHub(context, data, 'topology.list', {}))
    if (wanted === undefined) {
      const running = all.filter(({ state }) => state !== 'stopped')
      if (isJson) print(context, JSON.stringify(running))
      else print(context, running.length === 0 ? 'no topology runs' : text.formatTopologies(running))
      return
    }
    const topology = all.find((one) => one.name === wanted)
    if (!topology) throw new ProtocolError('unknown-topology', `there is no topology ${wanted}`)
    print(context, isJson ? JSON.stringify(topology) : text.formatDevices(topology))
  },
})

export const listCommand = (context: Context): CommandModule<object, Shown> => ({
  command: 'list',
  describe: 'List the topologies of the library, running or not',
  builder: (yargs) => yargs.option('json', json).example('$0 topology list', 'what can be started by name'),
  handler: async ({ json: isJson, data }) => {
    const text = await import('#hub/command/topology-status-text.ts')
    const all = text.parseTopologies(await askHub(context, data, 'topology.list', {}))
    if (isJson) print(context, JSON.stringify(all))
    else if (all.length === 0) print(context, 'no topologies yet; add one with `hybridge topology start DIR`')
    else print(context, text.formatTopologies(all))
  },
})

export const deleteCommand = (context: Context): CommandModule<object, Name> => ({
  command: 'delete <name>',
  describe: 'Remove a stopped topology from the library, with all that its devices kept',
  builder: (yargs) =>
    yargs.positional('name', name).example('$0 topology delete two-lans', 'files, disks and logs'),
  handler: async ({ name: topology, data }) => {
    await askHub(context, data, 'topology.remove', { name: topology }, STOP_TIMEOUT_MS)
    print(context, `${topology} is deleted`)
  },
})
