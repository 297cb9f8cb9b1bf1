/** New keys for a connection from time to time: RFC 4253 §9 asks for them, and ssh2 never does by itself. */
import { isRecord } from '#net/base/unknown.ts'
import type { Transport } from '#net/port/tunnel/transport.ts'

const REKEY_OCTETS = 4 * 1024 ** 3
const REKEY_MS = 3_600_000
const CHECK_MS = 5000
/** Behind what is under way on a slow path. */
const PATIENCE_MS = 300_000
/** Packets that wait for new keys: a window of 2 MiB in small frames is less. */
const MOST_KEPT = 100_000

/** A connection of ssh2. */
interface Rekeyed {
  rekey(done: () => void): void
}

/** To be called when the peer has logged in. */
export function rekeyNowAndThen(connection: Rekeyed, transport: Transport): void {
  const { socket } = transport
  let octets = 0
  let since = performance.now()
  const timer = setInterval(() => {
    const total = socket.bytesRead + socket.bytesWritten
    const now = performance.now()
    if (total - octets < REKEY_OCTETS && now - since < REKEY_MS) return
    octets = total
    since = now
    rekey(connection, transport)
  }, CHECK_MS)
  socket.on('close', () => clearInterval(timer))
}

/** Until the new keys are there ssh2 keeps all that is written: a peer that leaves it at that is let go. */
export function rekey(connection: Rekeyed, { stream, socket }: Transport): void {
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MS)
  const look = (): void => {
    if (keptPackets(connection) > MOST_KEPT) socket.destroy()
  }
  const end = (): void => {
    clearTimeout(timer)
    stream.off('data', look)
    socket.off('close', end)
  }
  stream.on('data', look)
  socket.on('close', end)
  connection.rekey(end)
}

function keptPackets(connection: Rekeyed): number {
  const protocol: unknown = Reflect.get(connection, '_protocol')
  const queue: unknown = isRecord(protocol) ? protocol['_queue'] : undefined
  return Array.isArray(queue) ? queue.length : 0
}
