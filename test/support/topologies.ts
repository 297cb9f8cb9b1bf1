/** Topologies that run in a hub of a test. */
import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CONTROL_SOCKET } from '#hub/base/data-directory.ts'
import { RpcClient } from '#net/base/rpc.ts'
import type { Hub } from '#test/support/hub.ts'

const TIMEOUT_MS = 30_000

/** Asks the hub's control process. */
export async function askControl(hub: Hub, op: string, params: object = {}): Promise<unknown> {
  const client = new RpcClient(join(hub.data, CONTROL_SOCKET), { timeoutMs: TIMEOUT_MS })
  try {
    return await client.call(op, { ...params })
  } finally {
    client.close()
  }
}

/** Puts a topology file into the hub, as the set of that name. */
export function installTopology(hub: Hub, name: string, text: string): void {
  const { uid, gid } = statSync(join(hub.data, 'accounts.db'))
  let path = hub.data
  for (const part of ['topologies', name, 'set']) {
    path = join(path, part)
    mkdirSync(path, { recursive: true, mode: 0o710 })
    chownSync(path, uid, gid)
  }
  const file = join(path, `${name}.vmm`)
  writeFileSync(file, text)
  chownSync(file, uid, gid)
}
