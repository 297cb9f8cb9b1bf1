/** Parameters of the operations on bridges, as control and fabric check them. */
import { z } from 'zod'
import { ProtocolError } from '#net/base/errors.ts'
import type { RpcParams } from '#net/base/rpc.ts'
import { LONGEST_BRIDGE } from '#hub/base/fabric-sockets.ts'

const bridge = z.string().max(LONGEST_BRIDGE)
/** Its number, or what is plugged in: `h1:em0`, `ann@site`. */
const port = z.union([z.int().min(1).max(1024), z.string().min(1).max(320)])
const settings = z.record(z.string().max(64), z.string().max(4096))

/**
 * Of one bridge, or of all. `partial`: the answer says which forwarding processes did not give theirs,
 * `{"rows":[...],"away":[{"topology":"two","reason":"..."}]}` in place of the rows alone.
 */
export const QueryParams = z.object({ bridge: bridge.optional(), partial: z.boolean().optional() })
export const PortsParams = z.object({ bridge })
export const PortSetParams = z.object({ bridge, port, settings })
export const BridgeSetParams = z.object({ bridge, settings })
export const ResetParams = z.object({ bridge: bridge.optional(), port: port.optional() })
/** Of a topology's fabric, by its supervisor. */
export const DeviceUpParams = z.object({ device: z.string().max(64) })
/** Of one bridge, or of all, for one who looks on and will ask again. */
export const WatchParams = z.object({
  bridge: bridge.optional(),
  seconds: z.number().min(1).max(600),
  after: z.int().min(0),
})
/** The same of all forwarding processes, each of which numbers its events: by topology, '' for the hub's own. */
export const WatchAllParams = WatchParams.extend({ after: z.record(z.string().max(64), z.int().min(0)) })
export const FindParams = z.object({ name: bridge })

/** @throws ProtocolError `bad-params` */
export function parseParams<T>(schema: z.ZodType<T>, params: RpcParams): T {
  const parsed = schema.safeParse(params)
  if (parsed.success) return parsed.data
  // Names of the faulty fields only: their values may be secrets.
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ')
  throw new ProtocolError('bad-params', `missing or bad: ${fields}`)
}
