/** What the control process answers on its two sockets. */
import { z } from 'zod'
import { ProtocolError, SystemError, reasonOf } from '#net/base/errors.ts'
import type { ProcessIdentity } from '#hub/base/process-config.ts'
import type { Logger } from '#hub/base/log.ts'
import type { RpcClient, RpcHandlers, RpcParams } from '#hub/base/rpc.ts'
import type { Authenticator, Verdict } from '#hub/accounts/authenticator.ts'
import { fingerprintOf } from '#hub/accounts/public-key.ts'

/** Short, as `status` also shows that this process lives. */
const STATUS_TIMEOUT_MS = 500

const user = z.string().min(1).max(256)
const address = z.string().max(64)
const KeyParams = z.object({
  user,
  address,
  algorithm: z.string().max(64),
  key: z.base64().max(8192),
  signed: z.boolean(),
})
const PasswordParams = z.object({ user, address, password: z.string().max(4096) })
const UserParams = z.object({ user })
const QueryParams = z.object({ bridge: z.string().max(64).optional() })

function parse<T>(schema: z.ZodType<T>, params: RpcParams): T {
  const parsed = schema.safeParse(params)
  if (parsed.success) return parsed.data
  // Names of the faulty fields only: their values may be secrets.
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ')
  throw new ProtocolError('bad-params', `missing or bad: ${fields}`)
}

/** Asks the fabric process; its refusals are passed on as they are. */
async function ask(fabric: RpcClient, op: string, params: RpcParams): Promise<unknown> {
  try {
    return await fabric.call(op, params)
  } catch (error) {
    if (error instanceof SystemError || (error instanceof ProtocolError && error.code === 'disconnected')) {
      throw new ProtocolError(
        'fabric-away',
        `the forwarding process does not answer (${reasonOf(error)}); it is restarted when it fails: try again, or see log/fabric.log`,
        { cause: error },
      )
    }
    throw error
  }
}

/** For gateways. @param now  monotonic milliseconds */
export function authHandlers(
  authenticator: Authenticator,
  fabric: RpcClient,
  log: Logger,
  now: () => number = () => performance.now(),
): RpcHandlers {
  const record = (verdict: Verdict, about: object): Verdict => {
    if (verdict.accepted) log.info(about, 'logged in')
    else if (verdict.retryAfterMs === undefined) log.info(about, 'log-in refused')
    else log.debug(about, 'log-in put off')
    return verdict
  }
  return {
    'authenticate.key': (params) => {
      const { key, ...attempt } = parse(KeyParams, params)
      const blob = new Uint8Array(Buffer.from(key, 'base64'))
      const verdict = authenticator.key({ ...attempt, blob }, now())
      if (!attempt.signed) return verdict
      return record(verdict, { user: attempt.user, address: attempt.address, key: fingerprintOf(blob) })
    },
    'authenticate.password': async (params) => {
      const attempt = parse(PasswordParams, params)
      const verdict = await authenticator.password(attempt, now())
      return record(verdict, { user: attempt.user, address: attempt.address, method: 'password' })
    },
    bridges: (params) => ask(fabric, 'bridges', parse(UserParams, params)),
  }
}

/** For operators, and the supervisor. `status` tells of this process even while the fabric is away. */
export function controlHandlers(fabric: RpcClient, identity: ProcessIdentity): RpcHandlers {
  const forward = (op: string) => (params: RpcParams) => ask(fabric, op, parse(QueryParams, params))
  const status = async () => {
    try {
      return { ...identity, fabric: await fabric.call('status', {}, STATUS_TIMEOUT_MS) }
    } catch (error) {
      return { ...identity, fabric: null, problem: reasonOf(error) }
    }
  }
  return { ports: forward('ports'), macs: forward('macs'), bridges: forward('bridges'), status }
}
