/** What the fabrics tell those who look on, checked: the control process passes it on as it is. */
import { z } from 'zod'
import { parseAnswer, PortStatus } from '#hub/command/show-text.ts'

const Link = z.object({
  bridge: z.string(),
  port: z.number(),
  name: z.string(),
  address: z.string(),
  connected: z.boolean(),
  since: z.number(),
  roundTripMs: z.number().nullable(),
  reconnects: z.number(),
  reason: z.string(),
})

const Talker = z.object({
  bridge: z.string(),
  port: z.number(),
  address: z.string(),
  vlan: z.number(),
  frames: z.number(),
  octets: z.number(),
})

const FabricReading = z.object({
  /** '': the hub's own. */
  topology: z.string(),
  began: z.number(),
  bridges: z.array(z.string()),
  ports: z.array(PortStatus),
  links: z.array(Link),
  talkers: z.array(Talker),
  events: z.array(z.object({ number: z.number(), time: z.number(), text: z.string() })),
})
export type FabricReading = z.infer<typeof FabricReading>

/** Of each forwarding process; `away`: those that did not answer. */
const WatchAnswer = z.object({
  fabrics: z.array(FabricReading),
  away: z.array(z.object({ topology: z.string(), reason: z.string() })),
})
export type WatchAnswer = z.infer<typeof WatchAnswer>

/** @throws ProtocolError `malformed` */
export const parseWatch = (answer: unknown): WatchAnswer => parseAnswer(WatchAnswer, answer)
