/** Answers `hconnect status` and `hconnect capture` on sockets of this process's own. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'

import { serveCaptures } from '#agent/service/capture-server.ts'
import type { LanRing } from '#agent/service/lan-ring.ts'
import {
  captureSocket,
  ownDirectory,
  prepareDirectory,
  socketName,
  sweepDirectory,
} from '#agent/service/runtime-directory.ts'
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
  ringOf: (link: string) => LanRing | undefined,
  env: NodeJS.ProcessEnv,
  log: (text: string) => void,
): Promise<StatusServer> {
  const directory = ownDirectory(env)
  let server: RpcServer | undefined
  let endCaptures: (() => void) | undefined
  try {
    if (directory !== undefined) {
      prepareDirectory(directory)
      await sweepDirectory(directory)
      const path = join(directory, socketName(randomBytes(4).toString('hex')))
      endCaptures = await serveCaptures(captureSocket(path), ringOf)
      server = await serveRpc(path, { status: read }, { maxConnections: MAX_CONNECTIONS })
    }
  } catch (error) {
    log(`hconnect status will not find this process: ${reasonOf(error)}`)
  }
  return {
    close: async () => {
      endCaptures?.()
      await server?.close()
    },
  }
}
