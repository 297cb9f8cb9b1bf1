/** The running hub, asked over its control socket. */
import { z } from 'zod'
import { ConfigError, ProtocolError, SystemError } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { CONTROL_SOCKET, requireDataDirectory } from '#hub/base/data-directory.ts'
import { RpcClient, type RpcParams } from '#net/base/rpc.ts'
import { parseAnswer } from '#hub/command/show-text.ts'
import { printable } from '#net/base/printable.ts'
import { type Context, dataOf } from '#hub/command/context.ts'

/**
 * Asks the hub of a data directory.
 * @throws SystemError with what to do, ConfigError for a setting that is wrong, ProtocolError of the hub
 */
export function askHub(
  context: Context,
  data: string | undefined,
  op: string,
  params: RpcParams,
  timeoutMs?: number,
): Promise<unknown> {
  return withHub(context, data, (hub) => hub.call(op, params, timeoutMs))
}

/** For what asks more than once. @throws as `askHub` does */
export function withHub<T>(
  context: Context,
  data: string | undefined,
  use: (hub: RpcClient) => Promise<T>,
): Promise<T> {
  return inDataDirectory(context, data, async () => {
    const client = new RpcClient(CONTROL_SOCKET)
    try {
      return await use(client)
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'bad-setting')
        throw new ConfigError(error.message, { cause: error })
      throw error
    } finally {
      client.close()
    }
  })
}

/**
 * Asks for rows of one bridge, or of all; what the hub cannot tell is said on standard error.
 * @param bridge  as the operator named it; undefined: all
 * @returns the rows, unchecked @throws as `askHub`
 */
export async function askForRows(
  context: Context,
  data: string | undefined,
  op: string,
  params: RpcParams,
): Promise<unknown> {
  const answer = await askHub(context, data, op, { ...params, partial: true })
  const { rows, away } = parseAnswer(Partly, answer)
  for (const { topology, reason } of away) {
    const whose = topology === '' ? "the hub's own bridges" : `bridges of ${topology}`
    context.stderr.write(`hybridge: ${printable(`${whose} are left out: ${reason}`)}\n`)
  }
  return rows
}

const Partly = z.object({
  rows: z.unknown(),
  away: z.array(z.object({ topology: z.string(), reason: z.string() })),
})

/**
 * Does what needs a socket of the hub, from within its data directory: the name of a socket is at most 107 octets long,
 * and from there it is short. @throws SystemError with what to do
 */
export async function inDataDirectory<T>(
  context: Context,
  data: string | undefined,
  action: () => Promise<T>,
): Promise<T> {
  const directory = dataOf(context, data)
  requireDataDirectory(directory)
  const before = process.cwd()
  try {
    process.chdir(directory)
  } catch (error) {
    const code = errnoOf(error)
    throw new SystemError(
      code,
      `cannot enter data directory ${directory}: ${code} (run as root or as the hub's user)`,
    )
  }
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    const why =
      error.code === 'EACCES'
        ? "permission denied (run as root or as the hub's user)"
        : 'no hub runs there (start one with `hybridge serve`, or name another directory with --data)'
    throw new SystemError(error.code, `cannot ask the hub of ${directory}: ${why}`, { cause: error })
  } finally {
    process.chdir(before)
  }
}
