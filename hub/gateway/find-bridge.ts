/** Which bridge a user means by a name, as the control process says. */
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import type { RpcClient } from '#net/base/rpc.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'

export interface FindOptions {
  /** He is to have a port there: a bridge that the topology only names is made. */
  readonly join: boolean
}

/** Refusals that another try does not mend by itself; all else is told as `unavailable`. */
const REFUSALS = ['unknown-bridge', 'ambiguous-bridge', 'not-allowed', 'too-many-bridges']
/** Less than an agent waits for the hub's hello, with what follows. */
const FIND_TIMEOUT_MS = 1500

/** @returns its full name @throws ProtocolError */
export async function findBridge(
  accounts: Pick<RpcClient, 'call'>,
  user: string,
  name: string,
  { join }: FindOptions,
): Promise<string> {
  try {
    const found = await accounts.call('bridge.find', { user, name, join }, FIND_TIMEOUT_MS)
    const bridge = isRecord(found) ? textOr(found['bridge'], '') : ''
    if (bridge !== '') return bridge
    throw new ProtocolError('malformed', 'the control process gives no bridge')
  } catch (error) {
    if (error instanceof ProtocolError && REFUSALS.includes(error.code)) throw error
    throw new ProtocolError('unavailable', `the hub cannot look the bridge up: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}
