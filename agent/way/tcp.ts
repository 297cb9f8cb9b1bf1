/** The TCP connection to the hub: its name looked up, its addresses tried, and why when there is none. */
import { ADDRCONFIG } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP, type Socket } from 'node:net'

import { AddressRace, type Attempt } from '#agent/way/address-race.ts'
import { EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import { formatHubAddress } from '#agent/hub-address.ts'
import { reasonOf } from '#net/base/errors.ts'

export interface TcpOptions {
  /** A name, or a numeric address; one of IPv6 may have a zone (`fe80::1%eth0`). */
  readonly host: string
  readonly port: number
  /** What it is, for people. Default: `the hub`. */
  readonly what?: string
  /** For the look-up and all attempts together. */
  readonly deadlineMs: number
  readonly signal: AbortSignal
  /** Called with the numeric address before each attempt to connect. */
  readonly onAddress?: ((address: string, port: number) => void) | undefined
}

export interface TcpConnection {
  /** Without delay (TCP_NODELAY); an error of it throws nothing. */
  readonly socket: Socket
  /** Milliseconds from SYN to connection. */
  readonly roundTripMs: number
}

/** @throws ExitError EXIT_UNREACHABLE */
export function connectTcp(options: TcpOptions): Promise<TcpConnection> {
  const { host, port, what = 'the hub', deadlineMs, signal, onAddress } = options
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      race.stop()
    }
    const give = (reason: string): void => {
      end()
      reject(
        new ExitError(EXIT_UNREACHABLE, `cannot reach ${what} ${formatHubAddress(host, port)}: ${reason}`),
      )
    }
    const race = new AddressRace({
      port,
      onAddress,
      onWon: (socket, roundTripMs) => {
        end()
        resolve({ socket, roundTripMs })
      },
      onLost: () => give(explain(race.attempts, deadlineMs)),
    })
    const timer = setTimeout(() => give(explain(race.attempts, deadlineMs)), deadlineMs)
    const onAbort = (): void => give('ended on request')
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) return onAbort()
    addressesOf(host).then(
      (addresses) => race.start(addresses),
      (error: unknown) => give(reasonOfSocket(error)),
    )
  })
}

/** Numeric, in the order of the system's preference. */
export async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host]
  const found = await lookup(host, { all: true, order: 'verbatim', hints: ADDRCONFIG })
  return found.map(({ address }) => address)
}

/** Why nothing came of the attempts; addresses are named where they met different ends. */
export function explain(attempts: readonly Attempt[], deadlineMs: number): string {
  const within = `within ${(deadlineMs / 1000).toFixed(1)} s`
  if (attempts.length === 0) return `its name was not looked up ${within}`
  const addressesBy = new Map<string, string[]>()
  for (const { address, error } of attempts) {
    const reason = error === undefined ? `no answer ${within}` : reasonOfSocket(error)
    addressesBy.set(reason, [...(addressesBy.get(reason) ?? []), address])
  }
  const named = addressesBy.size > 1
  return [...addressesBy]
    .map(([reason, [first, ...more]]) => {
      if (!named) return reason
      return more.length === 0 ? `${first}: ${reason}` : `${first} and ${more.length} more: ${reason}`
    })
    .join('; ')
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'connection refused (does it run, and is the port right?)',
  ENOTFOUND: 'there is no such host name',
  EAI_AGAIN: 'the host name cannot be looked up now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  EACCES: 'a firewall forbids it',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'connection reset',
  EINVAL: 'no usable address (a link-local one needs its interface: fe80::1%eth0)',
}

/** What a socket's error means for people. */
export function reasonOfSocket(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return REASONS[code] ?? reasonOf(error)
}
