/** What an SSH connection runs on: octets in order, and the TCP connection that carries them in the end. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export interface Transport {
  /** What SSH reads and writes: `socket` itself, or something on it (TLS, WebSocket, a channel of another SSH). */
  readonly stream: Duplex
  /** The TCP connection of this machine. It alone is read and written as `stream`; destroyed, it takes that with it. */
  readonly socket: Socket
}

/** Octets that were written and that the kernel has not taken yet. */
export const unsentOctets = ({ stream, socket }: Transport): number =>
  stream === socket ? socket.writableLength : stream.writableLength + socket.writableLength
