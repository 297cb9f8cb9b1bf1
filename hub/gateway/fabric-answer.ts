/** The fabric's answer to a gateway that wants a port: one JSON line. */
import { ProtocolError } from '#net/base/errors.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'

interface Joined {
  /** With it further connections join the same port; undefined: none may. */
  readonly token: string | undefined
}

/** @returns why the fabric has made no port, if it has made none */
export function parseAnswer(line: string): Joined | ProtocolError {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    // As any other answer that says nothing.
  }
  if (!isRecord(value)) return new ProtocolError('internal', 'the switch gives no answer')
  if (value['ok'] === true) return { token: textOr(value['token'], '') || undefined }
  return new ProtocolError(textOr(value['code'], 'internal'), textOr(value['message'], ''))
}
