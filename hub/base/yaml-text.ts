/** YAML 1.2 that people write, checked against a schema: what is wrong has its place. */
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml'
import type { z } from 'zod'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { beyondBounds } from '#hub/base/yaml-bounds.ts'

/** More is not written by hand; an alias may stand for more. */
const MOST_ALIASES = 100

export interface YamlFault {
  readonly line: number
  readonly column: number
  readonly reason: string
}

/** @returns the value, or what is wrong with it, in the order of the text */
export function readYaml<T>(text: string, schema: z.ZodType<T>): { value: T } | { faults: YamlFault[] } {
  const beyond = beyondBounds(text)
  if (beyond) return { faults: [{ ...placeOf(text, beyond.offset), reason: beyond.reason }] }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  const fault = (offset: number, reason: string): YamlFault => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col, reason }
  }
  if (document.errors.length > 0)
    return { faults: document.errors.map((error) => fault(error.pos[0], error.message)) }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: MOST_ALIASES }) ?? {}
  } catch (error) {
    return { faults: [{ line: 1, column: 1, reason: reasonOf(error) }] }
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { value: parsed.data }
  const found = parsed.error.issues.flatMap((issue) => {
    if (issue.code === 'invalid_key')
      return issue.issues.map(({ message }) => ({ path: issue.path, reason: message }))
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, reason: issue.message }]
    return issue.keys.map((key) => ({ path: [...issue.path, key], reason: 'unknown setting' }))
  })
  const placed = found.map(({ path, reason }) => {
    const offset = offsetOf(document, path)
    return { offset, ...fault(offset, `${path.length > 0 ? `${path.join('.')}: ` : ''}${reason}`) }
  })
  return { faults: placed.sort((a, b) => a.offset - b.offset) }
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

/** @throws ConfigError with a line for each fault: `FILE:LINE:COLUMN: REASON` */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): T {
  const read = readYaml(text, schema)
  if ('value' in read) return read.value
  throw new ConfigError(
    read.faults.map(({ line, column, reason }) => `${file}:${line}:${column}: ${reason}`).join('\n'),
  )
}

/** Where in the text the value at a path begins; a key that should not be there is its own place. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  const parent = document.getIn(path.slice(0, -1), true)
  const pair = isMap(parent)
    ? parent.items.find((item) => isNode(item.key) && String(item.key) === String(path.at(-1)))
    : undefined
  if (pair && isNode(pair.key)) return pair.key.range?.[0] ?? 0
  const node = document.getIn(path, true)
  return isNode(node) ? (node.range?.[0] ?? 0) : 0
}
