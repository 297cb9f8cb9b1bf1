/** Archives on their way into the library, in parts: one a connection of the control socket, gone with it. */
import { ProtocolError } from '#net/base/errors.ts'
import { MAX_ARCHIVE } from '#hub/topology/archive.ts'

/** Connections that send at the same time. */
const MOST = 8

export class Uploads {
  readonly #parts = new Map<AbortSignal, Buffer[]>()
  readonly #forget = (): void => {
    for (const connection of this.#parts.keys()) if (connection.aborted) this.#parts.delete(connection)
  }

  /** @param connection  aborted at its end @throws ProtocolError */
  add(connection: AbortSignal, octets: Buffer): void {
    const parts = this.#parts.get(connection) ?? this.#begin(connection)
    const length = parts.reduce((sum, part) => sum + part.length, octets.length)
    if (length > MAX_ARCHIVE) {
      this.#end(connection)
      throw new ProtocolError('too-long', `an archive is at most ${MAX_ARCHIVE >> 20} MiB long`)
    }
    parts.push(octets)
  }

  /** All that came over a connection, which may then send another one. @throws ProtocolError */
  take(connection: AbortSignal): Buffer {
    const parts = this.#parts.get(connection)
    this.#end(connection)
    if (parts === undefined)
      throw new ProtocolError('bad-params', 'there is no archive: none was sent before')
    return Buffer.concat(parts)
  }

  #end(connection: AbortSignal): void {
    this.#parts.delete(connection)
    connection.removeEventListener('abort', this.#forget)
  }

  #begin(connection: AbortSignal): Buffer[] {
    if (this.#parts.size >= MOST)
      throw new ProtocolError('busy', `${MOST} other archives are being sent: try again`)
    const parts: Buffer[] = []
    this.#parts.set(connection, parts)
    connection.addEventListener('abort', this.#forget, { once: true })
    return parts
  }
}
