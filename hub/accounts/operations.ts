/** What the control process answers on its two sockets. */
import { z } from 'zod'
import { ProtocolError } from '#net/base/errors.ts'
import type { Logger } from '#hub/base/log.ts'
import { FindParams, parseParams } from '#hub/base/bridge-params.ts'
import type { RpcClient, RpcHandlers, RpcParams } from '#net/base/rpc.ts'
import { topologyOf } from '#hub/base/fabric-sockets.ts'
import { refuseUnjoinable } from '#hub/accounts/bridge-names.ts'
import { bridgesToJoin } from '#hub/accounts/connector-operations.ts'
import type { Fabrics } from '#hub/accounts/fabrics.ts'
import type { Authenticator, Verdict } from '#hub/accounts/authenticator.ts'
import { fingerprintOf } from '#hub/accounts/public-key.ts'
import type { FoundDevice } from '#hub/console/device.ts'
import type { AccountStore } from '#hub/accounts/store.ts'
import type { ActiveTopologies } from '#hub/topology/active.ts'
import { findDevice, visibleDevices } from '#hub/topology/device-search.ts'

/** Devices are given time to end, and to start. */
const DEVICES_TIMEOUT_MS = 60_000

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
const FindForUserParams = FindParams.extend({ user, join: z.boolean() })

/** For gateways and the metrics process. @param now  monotonic milliseconds */
export function authHandlers(
  authenticator: Authenticator,
  fabrics: Fabrics,
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
    bridges: (params) => {
      parseParams(UserParams, params)
      return bridgesToJoin(fabrics)
    },
    'bridge.find': async (params) => {
      const { name, join, user: who } = parseParams(FindForUserParams, params)
      const { bridge, isToMake } = fabrics.find(name, who)
      refuseUnjoinable(bridge)
      if (join && isToMake) await fabrics.askOne(topologyOf(bridge), 'bridge.add', { bridge })
      return { bridge }
    },
    topologies: () => fabrics.names.topologies.map(({ name }) => name),
  }
}

const TopologyParams = z.object({ name: z.string().min(1).max(64) })
const StopParams = TopologyParams.extend({ force: z.boolean().default(false) })
const StartParams = TopologyParams.extend({ owner: z.string().max(256).optional() })
const DeviceParams = z.object({ topology: z.string().min(1).max(64), device: z.string().min(1).max(64) })

const FindDeviceParams = z.object({ device: z.string().min(1).max(130) })

/** Consoles to look at. @param asker  a gateway says for which user it asks; an operator sees all */
export function deviceHandlers(
  supervisor: Pick<RpcClient, 'call'>,
  asker: 'gateway' | 'operator',
): RpcHandlers {
  const askerOf = (params: RpcParams): string | undefined =>
    asker === 'gateway' ? parseParams(UserParams, params).user : undefined
  const devices = async (of: string | undefined): Promise<FoundDevice[]> =>
    visibleDevices(await supervisor.call('topology.status'), of)
  return {
    devices: (params) => devices(askerOf(params)),
    'device.find': async (params) => {
      const { device } = parseParams(FindDeviceParams, params)
      const of = askerOf(params)
      return findDevice(await devices(of), device, of)
    },
  }
}

/** What operators ask about topologies. */
export function topologyHandlers(
  active: ActiveTopologies,
  supervisor: Pick<RpcClient, 'call'>,
  store: Pick<AccountStore, 'users'>,
): RpcHandlers {
  const forward = (op: string, schema: z.ZodType<RpcParams>) => (params: RpcParams) =>
    supervisor.call(op, parseParams(schema, params), DEVICES_TIMEOUT_MS)
  return {
    'topology.start': (params) => {
      const { name, owner } = parseParams(StartParams, params)
      if (owner !== undefined && !store.users().some((one) => one.name === owner))
        throw new ProtocolError(
          'unknown-user',
          `there is no user ${JSON.stringify(owner)} (hybridge user list)`,
        )
      return active.start(name, owner)
    },
    'topology.stop': forward('topology.stop', StopParams),
    'topology.status': forward('topology.status', z.object({})),
    'device.reset': forward('device.reset', DeviceParams),
    'device.rebuild': forward('device.rebuild', DeviceParams),
  }
}
