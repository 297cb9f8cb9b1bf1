/** The HELLO record: what each side says of itself before frames may flow. Unknown fields are ignored. */
import { ProtocolError } from '#net/base/errors.ts'
import { isRecord } from '#net/base/unknown.ts'

export const TUNNEL_VERSION = 1
export const KEEPALIVE_MS = 2000
const MIN_KEEPALIVE_MS = 100
const MAX_KEEPALIVE_MS = 60_000
const MOST_OCTETS = 2 ** 40

export interface Hello {
  readonly version: number
  /** For people: who this is. */
  readonly name: string
  /** Longest wire frame in octets that this side takes. */
  readonly largestFrame: number
  /** Takes super-frames and unfinished checksums whole. */
  readonly superFrames: boolean
  /** Wants the tunnel's queues short in both directions, at some cost of bulk throughput; true if absent. */
  readonly latencyControl: boolean
  /** This side sends something at least this often. */
  readonly keepaliveMs: number
  /** The agent's port key: the same one takes its port of the switch over. Empty from a hub. */
  readonly key: string
  /** Of a hub: a secret of this tunnel. Of an agent: of the tunnel whose port this further connection is to join. */
  readonly token?: string | undefined
  /** Of a hub: by which name its bridge is found again, whatever the agent called it. */
  readonly bridge?: string | undefined
  /** Of a hub: `BufferLimits`, those that bound something. */
  readonly sendOctets?: number | undefined
  readonly receiveOctets?: number | undefined
}

export function encodeHello(hello: Hello): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ protocol: 'hybridge', ...hello }))
}

/** @throws ProtocolError `hello` (not one of ours) or `version` (names both versions) */
export function decodeHello(payload: Uint8Array): Hello {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch {
    throw new ProtocolError('hello', 'the hello record is not JSON')
  }
  const fields = isRecord(value) ? value : {}
  if (fields['protocol'] !== 'hybridge')
    throw new ProtocolError('hello', 'the peer does not speak the Hybridge tunnel')
  const version = fields['version']
  if (version !== TUNNEL_VERSION)
    throw new ProtocolError(
      'version',
      `the peer speaks version ${printable(version)} of the tunnel, this side version ${TUNNEL_VERSION}: update the older one`,
    )
  return {
    version: TUNNEL_VERSION,
    name: text(fields, 'name', 255),
    largestFrame: integer(fields, 'largestFrame', 64, 65_535),
    superFrames: fields['superFrames'] === true,
    latencyControl: fields['latencyControl'] !== false,
    keepaliveMs: integer(fields, 'keepaliveMs', MIN_KEEPALIVE_MS, MAX_KEEPALIVE_MS),
    key: text(fields, 'key', 128),
    token: text(fields, 'token', 64) || undefined,
    bridge: text(fields, 'bridge', 320) || undefined,
    sendOctets: octets(fields, 'sendOctets'),
    receiveOctets: octets(fields, 'receiveOctets'),
  }
}

function integer(fields: Record<string, unknown>, name: string, least: number, most: number): number {
  const value = fields[name]
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw new ProtocolError(
    'hello',
    `the hello's ${name} is ${printable(value)} (allowed: ${least} to ${most})`,
  )
}

function octets(fields: Record<string, unknown>, name: string): number | undefined {
  return fields[name] === undefined ? undefined : integer(fields, name, 1, MOST_OCTETS)
}

/** Text for logs and tables: control characters are taken out, as it comes from a peer. */
function text(fields: Record<string, unknown>, name: string, longest: number): string {
  const value = fields[name] ?? ''
  if (typeof value !== 'string' || value.length > longest)
    throw new ProtocolError('hello', `the hello's ${name} is not a text of up to ${longest} characters`)
  // oxlint-disable-next-line no-control-regex
  return value.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?')
}

const printable = (value: unknown): string => (JSON.stringify(value) ?? 'absent').slice(0, 40)
