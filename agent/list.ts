/** `hconnect list`: the bridges that the user may join. */
import { formatListing, listBridges } from '#agent/bridge-list.ts'
import type { ConfigFile } from '#agent/config-file.ts'
import { settleHub } from '#agent/hub.ts'
import type { Arguments } from '#agent/options.ts'
import type { Output } from '#agent/output.ts'

/** @throws ExitError, ConfigError */
export async function list(
  args: Arguments,
  config: ConfigFile,
  env: NodeJS.ProcessEnv,
  output: Output,
): Promise<void> {
  const hub = await settleHub(args, config, env, output.log)
  const connection = await hub.dial(undefined, new AbortController().signal, {})
  try {
    const bridges = await listBridges(connection)
    if (output.json) output.raw(`${JSON.stringify({ bridges })}\n`)
    else output.raw(formatListing(bridges))
  } finally {
    connection.end()
    await connection.closed
  }
}
