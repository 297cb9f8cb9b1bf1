/** The fabric's answer to a gateway that wants a port: one JSON line. */
import { ProtocolError } from '#net/base/errors.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'

/** Undefined when the fabric has made the port. */
export function refusalOf(line: string): ProtocolError | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    // As any other answer that says nothing.
  }
  if (!isRecord(value)) return new ProtocolError('internal', 'the switch gives no answer')
  if (value['ok'] === true) return undefined
  return new ProtocolError(textOr(value['code'], 'internal'), textOr(value['message'], ''))
}
