/**
 * The reader's end of a socket that gives captures: it is told one JSON line, answers one (`{"ok":true}` or
 * `{"ok":false,"code":...,"message":...}`), and gives the capture from there on.
 */
import net from 'node:net'
import { ConfigError, ProtocolError, SystemError, reasonOf } from '#net/base/errors.ts'
import { errnoOf, isRecord, textOr } from '#net/base/unknown.ts'
import { BlockStream } from '#net/pcapng/block-stream.ts'

const ANSWER_TIMEOUT_MS = 5000
const LONGEST_ANSWER = 4096

/** A capture that has begun. Ending the socket ends it; it must then be read to its end. */
export interface OpenCapture {
  readonly socket: net.Socket
  /** What came behind the answer. */
  readonly first: Buffer
}

/**
 * Asks for a capture on the socket of a path.
 * @throws ConfigError for a filter with a fault, ProtocolError of the server @throws SystemError when there is none
 */
export async function openCapture(path: string, request: object): Promise<OpenCapture> {
  const socket = net.connect(path)
  const timer = setTimeout(
    () => socket.destroy(new SystemError('ETIMEDOUT', 'no answer comes')),
    ANSWER_TIMEOUT_MS,
  )
  socket.write(`${JSON.stringify(request)}\n`)
  try {
    return await new Promise<OpenCapture>((resolve, reject) => {
      let octets: Buffer = Buffer.alloc(0)
      const read = (chunk: Buffer): void => {
        octets = Buffer.concat([octets, chunk])
        const end = octets.indexOf(0x0a)
        if (end < 0 && octets.length <= LONGEST_ANSWER) return
        socket.off('data', read)
        socket.pause()
        const refusal = refusalOf(octets.toString('utf8', 0, Math.max(end, 0)))
        if (refusal) reject(refusal)
        else resolve({ socket, first: octets.subarray(end + 1) })
      }
      socket.on('data', read)
      socket.on('error', reject)
      socket.on('close', () => reject(new SystemError('ECONNRESET', 'there is no answer')))
    })
  } catch (error) {
    socket.destroy()
    if (error instanceof ConfigError || error instanceof ProtocolError || error instanceof SystemError)
      throw error
    throw new SystemError(errnoOf(error), reasonOf(error), { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

function refusalOf(line: string): ConfigError | ProtocolError | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    // As any other answer that says nothing.
  }
  if (!isRecord(value)) return new ProtocolError('internal', 'there is no answer')
  if (value['ok'] === true) return undefined
  const code = textOr(value['code'], 'internal')
  const message = textOr(value['message'], '')
  return code === 'bad-filter' ? new ConfigError(message) : new ProtocolError(code, message)
}

/**
 * Passes a capture on to its end, in whole blocks; a slow output holds up the reading. An output that fails ends it.
 * @returns what has passed
 */
export async function passCapture(
  { socket, first }: OpenCapture,
  output: NodeJS.WritableStream,
): Promise<BlockStream> {
  const blocks = new BlockStream()
  const pass = (chunk: Uint8Array): void => {
    try {
      const whole = blocks.take(chunk)
      if (whole.length > 0 && !output.write(whole)) socket.pause()
    } catch {
      socket.destroy() // no blocks: what has passed is incomplete
    }
  }
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const resume = (): unknown => socket.resume()
  const giveUp = (): unknown => socket.destroy()
  output.on('drain', resume)
  output.on('error', giveUp)
  output.on('close', giveUp)
  if (!output.writable) socket.destroy() // it was closed before
  pass(first)
  socket.on('data', pass)
  socket.resume()
  await closed
  output.off('drain', resume)
  output.off('close', giveUp)
  return blocks
}

/** `12 packets, 0 lost` */
export const captureSummary = ({ packets, lost }: BlockStream): string =>
  `${packets} packet${packets === 1 ? '' : 's'}, ${lost} lost`
