/**
 * Errors that people read: what failed, on what, why, and what to do. A broken invariant is a plain Error (a bug).
 */
import { getSystemErrorMap } from 'node:util'

/** Something the operator wrote: an argument, a configuration file, a key file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** The peer broke the protocol, or refused us; ends that session only. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  /** Stable, for machines: `unknown-bridge`, `version`, ... */
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The operating system refused: `code` is the errno's name (`EPERM`). */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Text of anything thrown. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The same of a file's, without what Node says around it, for messages that name the file: `no such file or directory`. */
export function fileReasonOf(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : 0
  return getSystemErrorMap().get(errno)?.[1] ?? reasonOf(error)
}
