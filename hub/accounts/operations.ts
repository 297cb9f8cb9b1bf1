/** What the control process answers on its two sockets. */
import { z } from 'zod'
import { ProtocolError, SystemError, reasonOf } from '#net/base/errors.ts'
import type { ProcessIdentity } from '#hub/base/process-config.ts'
import type { Logger } from '#hub/base/log.ts'
import {
  BridgeSetParams,
  parseParams,
  PortSetParams,
  QueryParams,
  ResetParams,
  WatchParams,
} from '#hub/base/bridge-params.ts'
import type { RpcClient, RpcHandlers, RpcParams } from '#net/base/rpc.ts'
import type { Authenticator, Verdict } from '#hub/accounts/authenticator.ts'
import { fingerprintOf } from '#hub/accounts/public-key.ts'
import type { ActiveTopologies } from '#hub/topology/active.ts'

/** Devices are given time to end. */
const STOP_TIMEOUT_MS = 60_000
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
      const { key, ...attempt } = parseParams(KeyParams, params)
      const blob = new Uint8Array(Buffer.from(key, 'base64'))
      const verdict = authenticator.key({ ...attempt, blob }, now())
      if (!attempt.signed) return verdict
      return record(verdict, { user: attempt.user, address: attempt.address, key: fingerprintOf(blob) })
    },
    'authenticate.password': async (params) => {
      const attempt = parseParams(PasswordParams, params)
      const verdict = await authenticator.password(attempt, now())
      return record(verdict, { user: attempt.user, address: attempt.address, method: 'password' })
    },
    bridges: (params) => ask(fabric, 'bridges', parseParams(UserParams, params)),
  }
}

const TopologyParams = z.object({ name: z.string().min(1).max(64) })
const StartParams = TopologyParams.extend({ owner: z.string().max(256).default('') })
const DeviceParams = z.object({ topology: z.string().min(1).max(64), device: z.string().min(1).max(64) })

/** What operators ask about topologies. */
export function topologyHandlers(active: ActiveTopologies, supervisor: Pick<RpcClient, 'call'>): RpcHandlers {
  const forward = (op: string, schema: z.ZodType<RpcParams>) => (params: RpcParams) =>
    supervisor.call(op, parseParams(schema, params), STOP_TIMEOUT_MS)
  return {
    'topology.start': (params) => {
      const { name, owner } = parseParams(StartParams, params)
      return active.start(name, owner)
    },
    'topology.stop': forward('topology.stop', TopologyParams),
    'topology.status': forward('topology.status', z.object({})),
    'device.reset': forward('device.reset', DeviceParams),
    'device.rebuild': forward('device.rebuild', DeviceParams),
  }
}

/** For operators, and the supervisor. `status` tells of this process even while the fabric is away. */
export function controlHandlers(fabric: RpcClient, identity: ProcessIdentity): RpcHandlers {
  const forward = (op: string, schema: z.ZodType<RpcParams>) => (params: RpcParams) =>
    ask(fabric, op, parseParams(schema, params))
  const status = async () => {
    try {
      return { ...identity, fabric: await fabric.call('status', {}, STATUS_TIMEOUT_MS) }
    } catch (error) {
      return { ...identity, fabric: null, problem: reasonOf(error) }
    }
  }
  return {
    ports: forward('ports', QueryParams),
    macs: forward('macs', QueryParams),
    vlans: forward('vlans', QueryParams),
    rstp: forward('rstp', QueryParams),
    bridges: forward('bridges', QueryParams),
    'port.set': forward('port.set', PortSetParams),
    'bridge.set': forward('bridge.set', BridgeSetParams),
    'counters.reset': forward('counters.reset', ResetParams),
    watch: forward('watch', WatchParams),
    status,
  }
}
