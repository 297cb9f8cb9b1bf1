/**
 * What a console and its viewers say to each other on the console's unix socket. The viewer begins with one line of
 * JSON, who it is and how large its terminal is; records follow, each way:
 *
 *    type, 1 octet   length of the body, 2 octets   body
 */
import { ProtocolError } from '#net/base/errors.ts'
import { isRecord } from '#net/base/unknown.ts'
import { putU16, u16, u8 } from '#net/wire/octets.ts'

/** Of the console: octets for the terminal. */
export const RECORD_OUTPUT = 1
/** Of the viewer: what was typed. */
export const RECORD_INPUT = 2
/** Of the viewer: columns and rows, 2 octets each. */
export const RECORD_RESIZE = 3
/** Of the viewer: it wants to type. No body. */
export const RECORD_TAKE_OVER = 4
/** Of the console: a line of text about it, UTF-8. */
export const RECORD_NOTICE = 5
/** Of the console: whether this viewer types, 1 octet, 0 or 1; at first it does not. */
export const RECORD_ROLE = 7
/** Of the console: why this viewer is sent away, UTF-8; the last record. */
export const RECORD_END = 6

/** Characters of who looks. */
export const LONGEST_NAME = 128
/** Octets of a body. */
export const LONGEST_BODY = 16_384
const HEADER = 3
/** Octets of the first line. */
const LONGEST_HELLO = 1024
const NOTHING = Buffer.alloc(0)

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** More than screens have, and little enough for what programs make of it. */
const MOST_CELLS = 4096

export interface Hello {
  /** Who looks: others are told. */
  readonly viewer: string
  /** Null: it is no terminal, but a program. */
  readonly terminal: Size | null
  /** It typed before the device was switched off. */
  readonly typed: boolean
}

/** A size that somebody says; undefined when it is none, as NAWS 0 x 0 (RFC 1073). */
export const sizeOf = (columns: unknown, rows: unknown): Size | undefined =>
  isCells(columns) && isCells(rows) ? { columns, rows } : undefined

const isCells = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MOST_CELLS

/** @throws ProtocolError `malformed` */
export function parseHello(line: string): Hello {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new ProtocolError('malformed', 'a viewer begins with no JSON')
  }
  const hello = helloOf(value)
  if (hello !== undefined) return hello
  throw new ProtocolError('malformed', 'a viewer does not say who it is and what it has')
}

/** Without a schema: each device's process has this in it, and starts in two thirds of the time without zod. */
function helloOf(value: unknown): Hello | undefined {
  const { viewer, terminal, typed } = isRecord(value) ? value : {}
  if (typeof viewer !== 'string' || viewer === '' || viewer.length > LONGEST_NAME) return undefined
  if (typeof typed !== 'boolean') return undefined
  if (terminal === null) return { viewer, terminal, typed }
  const size = isRecord(terminal) ? sizeOf(terminal['columns'], terminal['rows']) : undefined
  return size && { viewer, terminal: size, typed }
}

/** Records of a body of any length; at least one. */
export function records(type: number, body: Uint8Array = NOTHING): Buffer {
  const count = Math.max(1, Math.ceil(body.length / LONGEST_BODY))
  const octets = Buffer.allocUnsafe(count * HEADER + body.length)
  for (let i = 0, at = 0; i < count; i++) {
    const piece = body.subarray(i * LONGEST_BODY, (i + 1) * LONGEST_BODY)
    octets[at] = type
    putU16(octets, at + 1, piece.length)
    octets.set(piece, at + HEADER)
    at += HEADER + piece.length
  }
  return octets
}

export const textRecord = (type: number, text: string): Buffer =>
  records(type, Buffer.from(text).subarray(0, LONGEST_BODY))

export function resizeRecord({ columns, rows }: Size): Buffer {
  const body = Buffer.alloc(4)
  putU16(body, 0, columns)
  putU16(body, 2, rows)
  return records(RECORD_RESIZE, body)
}

/** Undefined when it says no size. */
export const parseResize = (body: Uint8Array): Size | undefined =>
  body.length === 4 ? sizeOf(u16(body, 0), u16(body, 2)) : undefined

export interface ConsoleRecord {
  readonly type: number
  readonly body: Buffer
}

/** Finds hello and records in a stream; holds one of them and one piece at most. */
export class RecordReader {
  #octets: Buffer = NOTHING

  push(piece: Buffer): void {
    this.#octets = this.#octets.length === 0 ? piece : Buffer.concat([this.#octets, piece])
  }

  /** The first line; undefined until it is whole. @throws ProtocolError `malformed` */
  hello(): Hello | undefined {
    const end = this.#octets.indexOf(0x0a)
    if (end > LONGEST_HELLO || (end < 0 && this.#octets.length > LONGEST_HELLO))
      throw new ProtocolError('malformed', `a viewer's first line is longer than ${LONGEST_HELLO} octets`)
    if (end < 0) return undefined
    const line = this.#octets.toString('utf8', 0, end)
    this.#octets = this.#octets.subarray(end + 1)
    return parseHello(line)
  }

  /** The next record, valid until the next `push`. @throws ProtocolError `malformed` */
  next(): ConsoleRecord | undefined {
    if (this.#octets.length < HEADER) return undefined
    const length = u16(this.#octets, 1)
    if (length > LONGEST_BODY)
      throw new ProtocolError('malformed', `a record of a console is longer than ${LONGEST_BODY} octets`)
    if (this.#octets.length < HEADER + length) return undefined
    const record = {
      type: u8(this.#octets, 0),
      body: this.#octets.subarray(HEADER, HEADER + length),
    }
    this.#octets = this.#octets.subarray(HEADER + length)
    return record
  }
}
