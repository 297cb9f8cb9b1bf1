/** Frames whose tags are written as text: `8100:10/5d 88a8:20`, outermost first; `untagged`; `8100:10 cut`. */

interface TagText {
  readonly tpid: number
  readonly vid: number
  /** The tag control information: PCP(3) DEI(1) VID(12). */
  readonly tci: number
}

export interface TagStack {
  readonly tags: readonly TagText[]
  /** The frame ends with its last tag: there is no type behind it. */
  readonly isCut: boolean
}

const TAG = /^([0-9a-f]{4}):(\d{1,4})(?:\/([0-7])(d?))?$/
/** The last one is no TPID: a tag of it is payload to every bridge. */
const TPIDS = [0x8100, 0x88a8, 0x9100, 0x9200, 0x9300]

/** @throws Error when the text is none */
export function parseTags(text: string): TagStack {
  const words = text.split(' ')
  const isCut = words.at(-1) === 'cut'
  if (isCut) words.pop()
  if (text === 'untagged') return { tags: [], isCut: false }
  const tags = words.map((word) => {
    const [, tpid, vid, pcp = '0', dei = ''] = TAG.exec(word) ?? []
    if (tpid === undefined || vid === undefined || Number(vid) > 4095) throw new Error(`"${word}" is no tag`)
    const tci = (Number(pcp) << 13) | (dei === 'd' ? 0x1000 : 0) | Number(vid)
    return { tpid: Number.parseInt(tpid, 16), vid: Number(vid), tci }
  })
  return { tags, isCut }
}

/** @param body  octets from the EtherType on, left out of a frame that is cut */
export function frameOfTags(destination: number, source: number, text: string, body: Uint8Array): Uint8Array {
  const { tags, isCut } = parseTags(text)
  const hex = [destination, source].map((address) => address.toString(16).padStart(12, '0'))
  for (const { tpid, tci } of tags) hex.push(tpid.toString(16) + tci.toString(16).padStart(4, '0'))
  return Uint8Array.from([...Buffer.from(hex.join(''), 'hex'), ...(isCut ? [] : body)])
}

/** The tags of a frame, and what is behind them. */
export function readTags(frame: Uint8Array): { text: string; body: Uint8Array } {
  const octets = Buffer.from(frame)
  const words: string[] = []
  let at = 12
  while (at + 4 <= octets.length && TPIDS.includes(octets.readUInt16BE(at))) {
    const tci = octets.readUInt16BE(at + 2)
    const priority = tci < 0x1000 ? '' : `/${tci >> 13}${(tci & 0x1000) === 0 ? '' : 'd'}`
    words.push(`${octets.toString('hex', at, at + 2)}:${tci & 0xfff}${priority}`)
    at += 4
  }
  if (words.length > 0 && at === octets.length) words.push('cut')
  return { text: words.length === 0 ? 'untagged' : words.join(' '), body: frame.subarray(at) }
}
