/** The BYE record: why a side ends the tunnel, as a stable code and a text for people. */
import { ProtocolError } from '#net/base/errors.ts'
import { isRecord } from '#net/base/unknown.ts'
import { controlRecord, RECORD_BYE } from '#net/tunnel/framing.ts'

const ENDED = 'the peer ended the tunnel'
const LONGEST_CODE = 40
const LONGEST_MESSAGE = 1000

export function byeRecord(code: string, message: string): Uint8Array {
  const text = JSON.stringify({ code, message: message.slice(0, LONGEST_MESSAGE) })
  return controlRecord(RECORD_BYE, new TextEncoder().encode(text))
}

/** What the peer says, without control characters, as it is printed; never throws. */
export function decodeBye(payload: Uint8Array): ProtocolError {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(payload))
    if (!isRecord(value)) return new ProtocolError('bye', ENDED)
    return new ProtocolError(clean(value['code'], LONGEST_CODE), clean(value['message'], LONGEST_MESSAGE))
  } catch {
    return new ProtocolError('bye', ENDED)
  }
}

function clean(value: unknown, longest: number): string {
  const text = typeof value === 'string' ? value : ''
  // oxlint-disable-next-line no-control-regex
  return text.slice(0, longest).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
}
