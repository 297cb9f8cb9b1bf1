/**
 * Ways to the hub: each makes a transport to an endpoint, over the way below it. `directWay` is TCP; the others (proxies,
 * jump hosts, WebSocket) have files of their own. A way that fails has closed all that it made.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import { EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import { formatHubAddress } from '#agent/hub-address.ts'
import { excerpt } from '#agent/excerpt.ts'
import { connectTcp, reasonOfSocket } from '#agent/way/tcp.ts'
import type { Ask } from '#agent/login/terminal.ts'
import { plainAddress } from '#net/port/nic/carrier.ts'
import type { Transport } from '#net/port/tunnel/transport.ts'

const FIRST_STEP_MS = 10_000

export interface Endpoint {
  /** What it is, for people: `the hub`, `the proxy`. */
  readonly what: string
  readonly host: string
  readonly port: number
}

/** `the hub hub.example:2222` */
export const nameOf = ({ what, host, port }: Endpoint): string => `${what} ${formatHubAddress(host, port)}`

/** One attempt. */
export interface Attempt {
  /** Round trip of the link before, in milliseconds; undefined the first time. */
  readonly lastRoundTripMs: number | undefined
  /** Undefined when nobody can, or may, be asked. */
  readonly ask: Ask | undefined
  readonly signal: AbortSignal
  /** Called with a numeric address before each attempt to connect TCP to it. */
  readonly onAddress?: ((address: string, port: number) => void) | undefined
  /** Looks at the TCP connection before anything is said on it; throws to refuse it. */
  readonly onSocket?: ((socket: Socket) => Promise<void>) | undefined
}

export interface Connection extends Transport {
  /** Of the endpoint: numeric, where this machine knows that, else as it was named. */
  readonly address: string
  /** Milliseconds that the endpoint took to answer. */
  readonly roundTripMs: number
}

/** @throws ExitError */
export type Way = (to: Endpoint, attempt: Attempt) => Promise<Connection>

/** On a reconnect a step gives up after 2 s and two round trips, so that no SYN back-off outlives the outage. */
export const stepDeadlineMs = (roundTripMs: number | undefined): number =>
  roundTripMs === undefined ? FIRST_STEP_MS : 2_000 + 2 * roundTripMs

export const directWay: Way = async (to, attempt) => {
  const { host, port, what } = to
  const { signal, onAddress, onSocket, lastRoundTripMs } = attempt
  const deadlineMs = stepDeadlineMs(lastRoundTripMs)
  const { socket, roundTripMs } = await connectTcp({ host, port, what, deadlineMs, signal, onAddress })
  try {
    await onSocket?.(socket)
  } catch (error) {
    socket.destroy()
    throw error
  }
  return { stream: socket, socket, roundTripMs, address: plainAddress(socket.remoteAddress ?? host) }
}

/**
 * Waits for one step on a connection, with the deadline of a step. When it fails, the connection is closed.
 * @param name  of who is to answer
 * @throws ExitError, also for what `step` throws otherwise
 */
export async function take<T>(
  connection: Transport,
  attempt: Pick<Attempt, 'signal' | 'lastRoundTripMs'>,
  name: string,
  step: () => Promise<T>,
): Promise<T> {
  const { stream, socket } = connection
  const watch = new StepWatch(stream, name, attempt)
  try {
    return await Promise.race([watch.failed, step()])
  } catch (error) {
    socket.destroy()
    stream.destroy()
    if (error instanceof ExitError) throw error
    throw new ExitError(EXIT_UNREACHABLE, `${name}: ${excerpt(reasonOfSocket(error))}`, { cause: error })
  } finally {
    watch.stop()
  }
}

/** What may end a step early. */
class StepWatch {
  readonly failed: Promise<never>
  stop: () => void = () => {}

  constructor(stream: Duplex, name: string, attempt: Pick<Attempt, 'signal' | 'lastRoundTripMs'>) {
    const { signal, lastRoundTripMs } = attempt
    this.failed = new Promise((_resolve, reject) => {
      const fail = (reason: string): void => reject(new ExitError(EXIT_UNREACHABLE, reason))
      const onAbort = (): void => fail('ended on request')
      const onClose = (): void => fail(`${name} closed the connection`)
      const timer = setTimeout(() => fail(`${name} does not answer in time`), stepDeadlineMs(lastRoundTripMs))
      this.stop = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        stream.off('close', onClose)
      }
      signal.addEventListener('abort', onAbort)
      stream.once('close', onClose)
      if (signal.aborted) onAbort()
      else if (stream.destroyed) onClose()
    })
  }
}
