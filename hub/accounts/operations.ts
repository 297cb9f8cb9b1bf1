/** What the control process answers on its two sockets. */
import { z } from 'zod'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'
import type { ProcessIdentity } from '#hub/base/process-config.ts'
import type { Logger } from '#hub/base/log.ts'
import {
  BridgeSetParams,
  FindParams,
  parseParams,
  PortSetParams,
  QueryParams,
  ResetParams,
  WatchAllParams,
} from '#hub/base/bridge-params.ts'
import type { RpcClient, RpcHandlers, RpcParams } from '#net/base/rpc.ts'
import { topologyOf } from '#hub/base/fabric-sockets.ts'
import { joinableBridges, refuseUnjoinable } from '#hub/accounts/bridge-names.ts'
import { connectorsOf, parseConnected, refusalOf } from '#hub/accounts/connectors.ts'
import type { AwayFabric, FabricAnswer, Fabrics } from '#hub/accounts/fabrics.ts'
import { hubAddress } from '#hub/accounts/hub-address.ts'
import type { ListenAddress } from '#hub/config.ts'
import type { Authenticator, Verdict } from '#hub/accounts/authenticator.ts'
import { fingerprintOf } from '#hub/accounts/public-key.ts'
import type { FoundDevice } from '#hub/console/device.ts'
import type { ActiveTopologies } from '#hub/topology/active.ts'
import { findDevice, visibleDevices } from '#hub/topology/device-search.ts'

/** Devices are given time to end, and to start. */
const DEVICES_TIMEOUT_MS = 60_000
/** Short, as `status` also shows that this process lives. */
const STATUS_TIMEOUT_MS = 500
/** Shorter than one who looks on waits. */
const WATCH_TIMEOUT_MS = 2000

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
const ConnectorsParams = z.object({
  topology: z.string().max(64).optional(),
  all: z.boolean().default(false),
})

/** Where agents reach the hub. */
export interface HubPlace {
  readonly ssh: ListenAddress
  /** `HOST[:PORT]` of --public-address. */
  readonly publicAddress?: string | undefined
}

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
export function topologyHandlers(active: ActiveTopologies, supervisor: Pick<RpcClient, 'call'>): RpcHandlers {
  const forward = (op: string, schema: z.ZodType<RpcParams>) => (params: RpcParams) =>
    supervisor.call(op, parseParams(schema, params), DEVICES_TIMEOUT_MS)
  return {
    'topology.start': (params) => {
      const { name, owner } = parseParams(StartParams, params)
      return active.start(name, owner)
    },
    'topology.stop': forward('topology.stop', StopParams),
    'topology.status': forward('topology.status', z.object({})),
    'device.reset': forward('device.reset', DeviceParams),
    'device.rebuild': forward('device.rebuild', DeviceParams),
  }
}

/** Bridges that have something to join, with what the fabrics tell of them. */
async function bridgesToJoin(fabrics: Fabrics): Promise<unknown[]> {
  const { answers } = await fabrics.askAll('bridges')
  const joinable = new Set(joinableBridges(fabrics.names))
  return rowsOf(answers).filter((row) => {
    if (!isRecord(row)) return false
    const name = textOr(row['name'], '')
    return joinable.has(name) || (row['ports'] !== 0 && refusalOf(name) === '')
  })
}

/** For operators, and the supervisor. `status` tells of this process even while the fabrics are away. */
export function controlHandlers(fabrics: Fabrics, identity: ProcessIdentity, hub: HubPlace): RpcHandlers {
  const query = (op: string) => async (params: RpcParams) => {
    const { bridge, partial } = parseParams(QueryParams, params)
    const { answers, away } = await askOneOrAll(fabrics, op, bridge)
    const rows = rowsOf(answers)
    return partial === true ? { rows, away } : rows
  }
  const change =
    (op: string, schema: z.ZodType<RpcParams & { readonly bridge: string }>) => (params: RpcParams) => {
      const wanted = parseParams(schema, params)
      return fabrics.ask(op, wanted.bridge, wanted)
    }
  return {
    ports: query('ports'),
    macs: query('macs'),
    vlans: query('vlans'),
    rstp: query('rstp'),
    bridges: query('bridges'),
    'port.set': change('port.set', PortSetParams),
    'bridge.set': change('bridge.set', BridgeSetParams),
    'counters.reset': async (params) => {
      const { bridge, port } = parseParams(ResetParams, params)
      if (bridge !== undefined) return await fabrics.ask('counters.reset', bridge, { bridge, port })
      await fabrics.askAll('counters.reset', () => ({ port }))
      return null
    },
    'bridge.find': (params) => ({
      bridge: fabrics.find(parseParams(FindParams, params).name, undefined).bridge,
    }),
    watch: async (params) => {
      const { bridge, seconds, after } = parseParams(WatchAllParams, params)
      const paramsOf = (topology: string): RpcParams => ({ seconds, after: after[topology] ?? 0 })
      const { answers, away } = await askOneOrAll(fabrics, 'watch', bridge, paramsOf, WATCH_TIMEOUT_MS)
      return { fabrics: answers.map(({ topology, answer }) => ({ ...objectOf(answer), topology })), away }
    },
    connectors: async (params) => {
      const { topology, all } = parseParams(ConnectorsParams, params)
      const { topologies } = fabrics.names
      const only = topologies.filter(({ name }) => name === topology)
      if (topology !== undefined && only.length === 0)
        throw new ProtocolError('not-running', `no topology ${JSON.stringify(topology)} is running`)
      const names = topology === undefined ? fabrics.names : { hub: [], topologies: only }
      const { answers, away } =
        topology === undefined
          ? await fabrics.askAll('ports')
          : { answers: [{ topology, answer: await fabrics.askOne(topology, 'ports', {}) }], away: [] }
      return { rows: connectorsOf(names, parseConnected(rowsOf(answers)), all), away }
    },
    connector: async (params) => {
      const { bridge, isToMake } = fabrics.find(parseParams(FindParams, params).name, undefined)
      const topology = topologyOf(bridge)
      const ports = isToMake ? [] : await fabrics.askOne(topology, 'ports', { bridge })
      const owner = fabrics.names.topologies.find(({ name }) => name === topology)?.owner ?? ''
      return {
        bridge,
        owner,
        ports,
        refusal: refusalOf(bridge),
        hub: await hubAddress(hub.ssh, hub.publicAddress),
      }
    },
    status: async () => {
      const topologies = fabrics.names.topologies.map(({ name }) => name)
      const [own, ...others] = await Promise.allSettled(
        [undefined, ...topologies].map((name) => fabrics.askOne(name, 'status', {}, STATUS_TIMEOUT_MS)),
      )
      return {
        ...identity,
        ...fabricStatus(own),
        topologies: others.map((status, i) => ({ name: topologies[i], ...fabricStatus(status) })),
      }
    },
  }
}

function fabricStatus(settled: PromiseSettledResult<unknown> | undefined): object {
  if (settled?.status === 'fulfilled') return { fabric: settled.value }
  return { fabric: null, problem: reasonOf(settled?.reason) }
}

async function askOneOrAll(
  fabrics: Fabrics,
  op: string,
  name: string | undefined,
  paramsOf: (topology: string) => RpcParams = () => ({}),
  timeoutMs?: number,
): Promise<{ answers: FabricAnswer[]; away: AwayFabric[] }> {
  if (name === undefined) return await fabrics.askAll(op, paramsOf, timeoutMs)
  const { bridge } = fabrics.find(name, undefined)
  const topology = topologyOf(bridge) ?? ''
  const answer = await fabrics.askOne(topologyOf(bridge), op, { ...paramsOf(topology), bridge }, timeoutMs)
  return { answers: [{ topology, answer }], away: [] }
}

const rowsOf = (answers: readonly FabricAnswer[]): unknown[] =>
  answers.flatMap(({ answer }) => (Array.isArray(answer) ? answer : []))
const objectOf = (value: unknown): object => (isRecord(value) ? value : {})
