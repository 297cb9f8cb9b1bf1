/** Answers `hconnect status` on a socket of this process's own. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'

import { ownDirectory, prepareDirectory, socketName } from '#agent/service/runtime-directory.ts'
import type { AgentStatus } from '#agent/service/link-status.ts'
import { reasonOf } from '#net/base/errors.ts'
import { type RpcServer, serveRpc } from '#net/base/rpc.ts'

const MAX_CONNECTIONS = 8

export interface StatusServer {
  /** Removes the socket's file. */
  close(): Promise<void>
}

/** Without a place for the socket nobody is answered; a place that cannot be used is told to `log`. */
export async function serveStatus(
  read: () => AgentStatus,
  env: NodeJS.ProcessEnv,
  log: (text: string) => void,
): Promise<StatusServer> {
  const directory = ownDirectory(env)
  let server: RpcServer | undefined
  try {
    if (directory !== undefined) {
      prepareDirectory(directory)
      const path = join(directory, socketName(randomBytes(4).toString('hex')))
      server = await serveRpc(path, { status: read }, { maxConnections: MAX_CONNECTIONS })
    }
  } catch (error) {
    log(`hconnect status will not find this process: ${reasonOf(error)}`)
  }
  return { close: async () => server?.close() }
}
