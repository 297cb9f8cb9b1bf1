/** Reads capture files as the draft has them (draft-ietf-opsawg-pcapng), apart from the product's own code. */

interface Packet {
  readonly interface: number
  readonly timeUs: number
  readonly direction: 'in' | 'out' | undefined
  readonly comment: string | undefined
  /** That the frame had. */
  readonly length: number
  /** Those that were kept. */
  readonly octets: Buffer
}

export interface CaptureFile {
  readonly interfaces: { name: string; description: string; snapLength: number }[]
  readonly packets: Packet[]
  /** By interface; as the last block of each says. */
  readonly statistics: { received: number; dropped: number }[]
}

const padded = (n: number): number => Math.ceil(n / 4) * 4

function optionsOf(octets: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>()
  for (let at = 0; at + 4 <= octets.length;) {
    const code = octets.readUInt16LE(at)
    const length = octets.readUInt16LE(at + 2)
    if (code === 0) break
    options.set(code, octets.subarray(at + 4, at + 4 + length))
    at += 4 + padded(length)
  }
  return options
}

const timeOf = (octets: Buffer, at: number): number =>
  octets.readUInt32LE(at) * 2 ** 32 + octets.readUInt32LE(at + 4)

/** @throws when the file does not consist of whole blocks of the kinds that a hub writes */
export function readPcapng(file: Uint8Array): CaptureFile {
  const octets = Buffer.from(file)
  const found: CaptureFile = { interfaces: [], packets: [], statistics: [] }
  for (let at = 0; at < octets.length;) {
    const type = octets.readUInt32LE(at)
    const length = octets.readUInt32LE(at + 4)
    const end = at + length
    if (length < 12 || length % 4 !== 0 || octets.readUInt32LE(end - 4) !== length)
      throw new Error(`a block of ${length} octets at ${at}`)
    const body = octets.subarray(at + 8, end - 4)
    const isFirst = at === 0
    at = end
    if (isFirst !== (type === 0x0a0d0d0a)) throw new Error(`a block of type ${type} at ${at}`)
    if (isFirst) {
      if (body.readUInt32LE(0) !== 0x1a2b3c4d || body.readUInt16LE(4) !== 1) throw new Error('not version 1')
    } else if (type === 1) {
      const options = optionsOf(body.subarray(8))
      if (body.readUInt16LE(0) !== 1 || options.get(9)?.[0] !== 6)
        throw new Error('not Ethernet in microseconds')
      found.interfaces.push({
        name: String(options.get(2)),
        description: String(options.get(3)),
        snapLength: body.readUInt32LE(4),
      })
    } else if (type === 6) {
      const kept = body.readUInt32LE(12)
      const options = optionsOf(body.subarray(20 + padded(kept)))
      const direction = (options.get(2)?.readUInt32LE(0) ?? 0) & 3
      found.packets.push({
        interface: body.readUInt32LE(0),
        timeUs: timeOf(body, 4),
        direction: direction === 1 ? 'in' : direction === 2 ? 'out' : undefined,
        comment: options.get(1)?.toString(),
        length: body.readUInt32LE(16),
        octets: body.subarray(20, 20 + kept),
      })
    } else if (type === 5) {
      const options = optionsOf(body.subarray(12))
      found.statistics[body.readUInt32LE(0)] = {
        received: Number(options.get(4)?.readBigUInt64LE(0)),
        dropped: Number(options.get(5)?.readBigUInt64LE(0)),
      }
    } else throw new Error(`a block of type ${type}`)
  }
  return found
}
