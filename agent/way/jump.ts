/** The way through a jump host: SSH to it, and a channel to what is behind it (RFC 4254 §7.2, `direct-tcpip`). */
import type { ClientChannel } from 'ssh2'

import type { Credentials } from '#agent/login/credentials.ts'
import { EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import type { HostKeyCheck } from '#agent/login/host-key.ts'
import { parseHubAddress } from '#agent/hub-address.ts'
import { login } from '#agent/login/login.ts'
import { excerpt } from '#agent/excerpt.ts'
import { type Endpoint, nameOf, take, type Way } from '#agent/way/way.ts'
import { ConfigError } from '#net/base/errors.ts'

const MAX_HOPS = 8
// RFC 4254 §5.1
const ADMINISTRATIVELY_PROHIBITED = 1
const CONNECT_FAILED = 2

/** A jump host as it is written. */
export interface JumpText {
  readonly user: string | undefined
  /** Name that ssh's configuration may know. */
  readonly host: string
  readonly port: number | undefined
}

export interface Jump {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly hostKeys: HostKeyCheck
  readonly credentials: Credentials
}

/** `[USER@]HOST[:PORT]`, several joined by commas, the first to be reached first; `none`. @throws ConfigError */
export function parseJumps(text: string): JumpText[] {
  if (text.toLowerCase() === 'none') return []
  const hops = text.split(',').map((hop) => hop.trim().replace(/^ssh:\/\/([^/]*)\/?$/, '$1'))
  if (hops.length > MAX_HOPS) throw new ConfigError(`${hops.length} jump hosts are more than ${MAX_HOPS}`)
  return hops.map((hop) => {
    const at = hop.lastIndexOf('@')
    const user = at < 0 ? undefined : hop.slice(0, at)
    if (user === '' || /\s/.test(hop))
      throw new ConfigError(`bad jump host "${hop}": expected [USER@]HOST[:PORT]`)
    return { user, ...parseHubAddress(hop.slice(at + 1), 'jump host') }
  })
}

const jumpEndpoint = ({ host, port }: Jump): Endpoint => ({ what: 'the jump host', host, port })

/** What is told of SSH is told of that with the hub. */
const SILENT = { onGreeted: undefined, onNegotiated: undefined }

export const jumpWay =
  (jump: Jump, below: Way): Way =>
  async (to, attempt) => {
    const endpoint = jumpEndpoint(jump)
    const name = nameOf(endpoint)
    const connection = await below(endpoint, attempt)
    const client = await login({ ...attempt, ...jump, name, ...SILENT }, connection)
    const { socket } = connection
    const began = performance.now()
    const channel = await take(
      connection,
      attempt,
      name,
      () =>
        new Promise<ClientChannel>((resolve, reject) => {
          client.forwardOut('127.0.0.1', 0, to.host, to.port, (error, opened) => {
            if (error) reject(new ExitError(EXIT_UNREACHABLE, refusalOf(error, name, to)))
            else resolve(opened)
          })
        }),
    )
    channel.on('error', () => {}) // 'close' follows
    return { stream: channel, socket, address: to.host, roundTripMs: performance.now() - began }
  }

function refusalOf(error: Error, name: string, to: Endpoint): string {
  const reason = 'reason' in error ? error.reason : undefined
  const said = excerpt(error.message.replace(/^\(SSH\) Channel open failure: /, '').slice(0, 200))
  const target = nameOf(to)
  if (reason === ADMINISTRATIVELY_PROHIBITED)
    return `${name} does not forward to ${target} (${said}): its sshd must allow it (AllowTcpForwarding, PermitOpen)`
  if (reason === CONNECT_FAILED) return `${name} cannot reach ${target}: ${said}`
  return `${name} does not forward to ${target}: ${said}`
}
