/** What operators ask about connector points, and users about the bridges that they may join. */
import { z } from 'zod'
import { ProtocolError } from '#net/base/errors.ts'
import type { RpcHandlers } from '#net/base/rpc.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'
import { joinableBridges } from '#hub/accounts/bridge-names.ts'
import { connectorsOf, parseConnected, refusalOf } from '#hub/accounts/connectors.ts'
import { type Fabrics, rowsOf } from '#hub/accounts/fabrics.ts'
import { hubAddress } from '#hub/accounts/hub-address.ts'
import { FindParams, parseParams } from '#hub/base/bridge-params.ts'
import { topologyOf } from '#hub/base/fabric-sockets.ts'
import type { ListenAddress } from '#hub/config.ts'

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

/** Bridges that have something to join, with what the fabrics tell of them. */
export async function bridgesToJoin(fabrics: Fabrics): Promise<unknown[]> {
  const { answers } = await fabrics.askAll('bridges')
  const joinable = new Set(joinableBridges(fabrics.names))
  return rowsOf(answers).filter((row) => {
    if (!isRecord(row)) return false
    const name = textOr(row['name'], '')
    return joinable.has(name) || (row['ports'] !== 0 && refusalOf(name) === '')
  })
}

export function connectorHandlers(fabrics: Fabrics, hub: HubPlace): RpcHandlers {
  return {
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
  }
}
