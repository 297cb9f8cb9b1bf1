/** What can be said of values whose type nobody vouches for. */

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value if it is text, else `otherwise`. */
export const textOr = <T>(value: unknown, otherwise: T): string | T =>
  typeof value === 'string' ? value : otherwise

/** The errno's name in an error of Node's or ours; `EIO` when it has none. */
export const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? textOr(error.code, 'EIO') : 'EIO'
