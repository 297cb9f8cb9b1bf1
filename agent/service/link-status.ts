/** A link of a running hconnect as `hconnect status` shows it. */
import { z } from 'zod'

import { excerpt } from '#agent/excerpt.ts'
import type { ManagedLink } from '#agent/service/managed-link.ts'
import type { SessionReading } from '#agent/session.ts'

const MAX_LINKS = 64
const MAX_PORTS = 64
const LONGEST_TEXT = 1024
const text = z
  .string()
  .max(LONGEST_TEXT)
  .transform((said) => excerpt(said, LONGEST_TEXT))
const count = z.number().min(0)
const drops = z.record(z.string().regex(/^[a-z0-9-]{1,32}$/), count)

const PortStatus = z.object({
  /** Empty: the LAN's interface. */
  bridge: text,
  active: z.boolean(),
  inFrames: count,
  inOctets: count,
  outFrames: count,
  outOctets: count,
  inDrops: drops,
  outDrops: drops,
})
export type PortStatus = z.infer<typeof PortStatus>

const LinkStatus = z.object({
  name: text,
  nic: text,
  bridges: z.array(text).max(MAX_PORTS),
  /** As the configuration has it. */
  hub: text,
  /** Numeric, empty before the first connection. */
  address: text,
  state: z.enum(['opening', 'connecting', 'connected', 'disconnected', 'failed']),
  /** Milliseconds since 1970; null: not known. */
  since: z.number().nullable(),
  roundTripMs: z.number().nullable(),
  /** To the hub, that carry it now. */
  connections: count.default(0),
  reconnects: count,
  /** Of the outage that lasts. */
  attempt: count,
  reason: text,
  /** Milliseconds since 1970 when a failed link is opened again. */
  retryAt: z.number().nullable(),
  /** The LAN's port first. */
  ports: z.array(PortStatus).max(MAX_PORTS + 1),
  /** It keeps the LAN's last frames. */
  hasCaptureRing: z.boolean(),
})
export type LinkStatus = z.infer<typeof LinkStatus>

/** What a process answers; whoever serves the socket may say anything. */
export const AgentStatus = z.object({
  pid: z.int().min(1),
  version: text,
  command: z.enum(['connect', 'run']),
  links: z.array(LinkStatus).max(MAX_LINKS),
})
export type AgentStatus = z.infer<typeof AgentStatus>

/** @param hub  as it was given */
export function sessionStatus(
  name: string,
  hub: string,
  { link, local, remotes }: SessionReading,
  hasCaptureRing: boolean,
): LinkStatus {
  const ports = [{ bridge: '', port: local }, ...remotes]
  return {
    name,
    nic: link.nic,
    bridges: remotes.map(({ bridge }) => bridge),
    hub,
    address: link.hub,
    state: link.state,
    since: link.since,
    roundTripMs: link.roundTripMs ?? null,
    connections: link.connections,
    reconnects: link.reconnects,
    attempt: link.attempt,
    reason: link.reason,
    retryAt: null,
    ports: ports.map(({ bridge, port }) => ({ bridge, active: port.active, ...port.counters })),
    hasCaptureRing,
  }
}

export function managedStatus(managed: ManagedLink): LinkStatus {
  const { settings, session, reading, failure } = managed
  const { name, nic, hub = '', bridge, map = [] } = settings
  if (reading !== undefined) return sessionStatus(name, hub, reading, session?.ring !== undefined)
  return {
    name,
    nic,
    bridges: bridge === undefined ? map.map((entry) => entry.replace(/^[^=]*=/, '')) : [bridge],
    hub,
    address: '',
    state: failure === undefined ? 'opening' : 'failed',
    since: failure?.since ?? null,
    roundTripMs: null,
    connections: 0,
    reconnects: 0,
    attempt: failure?.count ?? 0,
    reason: failure?.reason ?? '',
    retryAt: failure?.retryAt ?? null,
    ports: [],
    hasCaptureRing: false,
  }
}
