/** Where the control process asks the supervisor: run/supervisor.sock, which is the service user's alone. */
import { lchownSync } from 'node:fs'
import { z } from 'zod'
import { claimSocketPath, listenRpc, type RpcServer } from '#net/base/rpc.ts'
import { parseParams } from '#hub/base/bridge-params.ts'
import { SUPERVISOR_SOCKET } from '#hub/base/data-directory.ts'
import type { Logger } from '#hub/base/log.ts'
import type { ProcessUsers } from '#hub/base/privilege.ts'
import type { Topologies } from '#hub/supervisor/topologies.ts'

const name = z.string().min(1).max(64)
const TopologyParams = z.object({ name })
const StopParams = z.object({ name, force: z.boolean().default(false) })
const DeviceParams = z.object({ topology: name, device: name })

export async function openTopologyDesk(
  topologies: Topologies,
  users: ProcessUsers | undefined,
  log: Logger,
): Promise<RpcServer> {
  await claimSocketPath(SUPERVISOR_SOCKET)
  const server = await listenRpc(
    SUPERVISOR_SOCKET,
    {
      'topology.start': (params) => topologies.start(parseParams(TopologyParams, params).name),
      'topology.stop': (params) => {
        const { name: topology, force } = parseParams(StopParams, params)
        return topologies.stop(topology, force)
      },
      'topology.remove': (params) => topologies.remove(parseParams(TopologyParams, params).name),
      'topology.status': () => topologies.status(),
      'device.reset': (params) => {
        const { topology, device } = parseParams(DeviceParams, params)
        return topologies.reset(topology, device)
      },
      'device.rebuild': (params) => {
        const { topology, device } = parseParams(DeviceParams, params)
        return topologies.rebuild(topology, device)
      },
    },
    { onFailure: (op, error) => log.error({ op, err: error }, 'operation failed') },
  )
  if (users) lchownSync(SUPERVISOR_SOCKET, users.service.uid, users.service.gid)
  return server
}
