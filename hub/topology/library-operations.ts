/** What the control process answers about the library of topologies. */
import { z } from 'zod'
import { ConfigError, ProtocolError } from '#net/base/errors.ts'
import type { RpcClient, RpcHandlers } from '#net/base/rpc.ts'
import { isRecord } from '#net/base/unknown.ts'
import { parseParams } from '#hub/base/bridge-params.ts'
import type { ActiveTopologies } from '#hub/topology/active.ts'
import { archiveKindOf, readArchive } from '#hub/topology/archive.ts'
import type { Stored, TopologyLibrary } from '#hub/topology/library.ts'
import { Uploads } from '#hub/topology/uploads.ts'

/** Removing what devices kept takes a while. */
const REMOVE_TIMEOUT_MS = 60_000

const name = z.string().min(1).max(64)
const PutParams = z.object({ octets: z.base64() })
const CommitParams = z.object({ name, replace: z.boolean().default(false) })
const NameParams = z.object({ name })

export function libraryHandlers(
  library: TopologyLibrary,
  active: ActiveTopologies,
  supervisor: Pick<RpcClient, 'call'>,
): RpcHandlers {
  const uploads = new Uploads()
  return {
    'library.put': (params, { signal }) => {
      uploads.add(signal, Buffer.from(parseParams(PutParams, params).octets, 'base64'))
    },
    'library.commit': async (params, { signal }) => {
      const octets = uploads.take(signal)
      const { name: wanted, replace } = parseParams(CommitParams, params)
      return { stored: await store(library, wanted, octets, replace) }
    },
    'topology.list': async () => {
      const status = await supervisor.call('topology.status')
      const running = Array.isArray(status) ? status.filter(isRecord) : []
      const known = new Set(running.map((topology) => topology['name']))
      const stopped = library.names().filter((one) => !known.has(one))
      return [...running, ...stopped.map((one) => stoppedTopology(one, active.ownerOf(one)))]
    },
    'topology.remove': async (params) => {
      const { name: wanted } = parseParams(NameParams, params)
      if (!library.has(wanted)) throw new ProtocolError('unknown-topology', `there is no topology ${wanted}`)
      await supervisor.call('topology.remove', { name: wanted }, REMOVE_TIMEOUT_MS)
    },
  }
}

/** As the supervisor tells of those that run. */
const stoppedTopology = (topology: string, owner: string) => ({
  name: topology,
  owner,
  state: 'stopped',
  reason: '',
  since: null,
  devices: [],
})

async function store(
  library: TopologyLibrary,
  topology: string,
  octets: Buffer,
  replace: boolean,
): Promise<Stored> {
  const kind = archiveKindOf(octets)
  if (kind === undefined) throw new ProtocolError('bad-archive', 'what was sent is neither ZIP nor tar.gz')
  try {
    return await library.store(topology, await readArchive(octets, kind, topology), replace)
  } catch (error) {
    if (error instanceof ConfigError) throw new ProtocolError('bad-archive', error.message, { cause: error })
    throw error
  }
}
