/** Columns of a row that SQLite gave, whose types the schema's STRICT tables vouch for. */
import { isRecord } from '#net/base/unknown.ts'

const column = (row: unknown, name: string): unknown => (isRecord(row) ? row[name] : undefined)

export function textIn(row: unknown, name: string): string {
  const value = column(row, name)
  if (typeof value !== 'string') throw new TypeError(`column ${name} is no text`)
  return value
}

export function numberIn(row: unknown, name: string): number {
  const value = column(row, name)
  if (typeof value !== 'number') throw new TypeError(`column ${name} is no number`)
  return value
}
