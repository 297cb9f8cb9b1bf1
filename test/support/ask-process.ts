/** Questions to the processes of a hub, over their sockets. */
import { join } from 'node:path'
import { RpcClient, type RpcParams } from '#net/base/rpc.ts'
import { isRecord } from '#net/base/unknown.ts'
import type { Hub } from '#test/support/hub.ts'

const ANSWER_MS = 30_000

/** @param process  `control`, or `two:fabric` of the topology two */
export const askProcess = (
  hub: Hub,
  process: string,
  operation: string,
  params: RpcParams = {},
): Promise<unknown> => askSocket(join(hub.data, 'run', `${process}.sock`), operation, params)

export async function askSocket(path: string, operation: string, params: RpcParams = {}): Promise<unknown> {
  const client = new RpcClient(path, { timeoutMs: ANSWER_MS })
  try {
    return await client.call(operation, params)
  } finally {
    client.close()
  }
}

/** As a process tells it of itself. */
export async function pidOfProcess(hub: Hub, process: string): Promise<number> {
  return pidIn(await askProcess(hub, process, 'status'))
}

export const pidIn = (status: unknown): number => Number(isRecord(status) ? status['pid'] : 0)
