/** What operators ask about bridges, of one fabric or of all. */
import type { z } from 'zod'
import { reasonOf } from '#net/base/errors.ts'
import type { RpcHandlers, RpcParams } from '#net/base/rpc.ts'
import { isRecord } from '#net/base/unknown.ts'
import { type AwayFabric, type FabricAnswer, type Fabrics, rowsOf } from '#hub/accounts/fabrics.ts'
import {
  BridgeSetParams,
  FindParams,
  parseParams,
  PortSetParams,
  QueryParams,
  ResetParams,
  WatchAllParams,
} from '#hub/base/bridge-params.ts'
import { topologyOf } from '#hub/base/fabric-sockets.ts'
import type { ProcessIdentity } from '#hub/base/process-config.ts'

/** Short, as `status` also shows that this process lives. */
const STATUS_TIMEOUT_MS = 500
/** Shorter than one who looks on waits. */
const WATCH_TIMEOUT_MS = 2000

/** For operators, and the supervisor. `status` tells of this process even while the fabrics are away. */
export function bridgeHandlers(fabrics: Fabrics, identity: ProcessIdentity): RpcHandlers {
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

const objectOf = (value: unknown): object => (isRecord(value) ? value : {})
