/** Who has connected to a gateway, and what SSH with him runs on. */
import type { Socket } from 'node:net'
import type { Transport } from '#net/port/tunnel/transport.ts'

export interface Caller extends Transport {
  /** Numeric; of him whom a reverse proxy names, if the connection is such a one's. */
  readonly peerAddress: string
  /** Of this machine, numeric; empty when it is a reverse proxy that he has reached. */
  readonly localAddress: string
}

export const callerOn = (socket: Socket): Caller => ({
  stream: socket,
  socket,
  peerAddress: socket.remoteAddress ?? 'unknown',
  localAddress: socket.localAddress ?? '',
})
