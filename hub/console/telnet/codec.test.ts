import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TelnetCodec } from '#hub/console/telnet/codec.ts'

const IAC = 255
const [WILL, WONT, DO, DONT, SB, SE] = [251, 252, 253, 254, 250, 240]
const [BINARY, ECHO, SGA, TTYPE, NAWS, LINEMODE] = [0, 1, 3, 24, 31, 34]

class Peer {
  sent: number[] = []
  typed: number[] = []
  sizes: [number, number][] = []
  attentions = 0
  readonly codec = new TelnetCodec({
    send: (octets) => this.sent.push(...octets),
    typed: (octets) => this.typed.push(...octets),
    resized: (columns, rows) => this.sizes.push([columns, rows]),
    attention: () => this.attentions++,
  })

  /** @returns what the codec answers */
  say(...octets: number[]): number[] {
    this.sent = []
    this.codec.receive(Uint8Array.from(octets))
    return this.sent
  }

  get text(): string {
    return Buffer.from(this.typed).toString('latin1')
  }
}

const type = (text: string): number[] => [...Buffer.from(text, 'latin1')]
const shown = (peer: Peer, ...texts: string[]): string =>
  texts.map((text) => peer.codec.encode(Buffer.from(text, 'latin1')).toString('latin1')).join('')

const name = (text: string): number[] => [IAC, SB, TTYPE, 0, ...type(text), IAC, SE]

describe('negotiation', () => {
  it('asks for all at once, and is settled when all is answered', () => {
    const peer = new Peer()
    peer.codec.begin()
    expect(peer.sent).toEqual(
      [
        [WILL, ECHO],
        [WILL, SGA],
        [WILL, BINARY],
        [DO, SGA],
        [DO, BINARY],
        [DO, NAWS],
        [DO, TTYPE],
      ].flatMap((pair) => [IAC, ...pair]),
    )
    expect(peer.say(IAC, DO, ECHO, IAC, DO, SGA, IAC, DONT, BINARY)).toEqual([])
    expect(peer.say(IAC, WILL, SGA, IAC, WONT, BINARY)).toEqual([])
    expect(peer.say(IAC, WILL, TTYPE)).toEqual([IAC, SB, TTYPE, 1, IAC, SE])
    expect(peer.say(IAC, WILL, NAWS, IAC, SB, NAWS, 0, 80, 0, 24, IAC, SE)).toEqual([])
    expect(peer.codec.isSettled).toBe(false)
    expect(peer.say(...name('XTERM'))).toEqual([])
    expect(peer.codec.isSettled).toBe(true)
    expect(peer.codec.terminalType).toBe('xterm')
    expect(peer.sizes).toEqual([[80, 24]])
  })

  it('is settled with a peer that refuses all', () => {
    const peer = new Peer()
    peer.codec.begin()
    for (const option of [ECHO, SGA, BINARY]) expect(peer.say(IAC, DONT, option)).toEqual([])
    for (const option of [SGA, BINARY, NAWS, TTYPE]) expect(peer.say(IAC, WONT, option)).toEqual([])
    expect(peer.codec.isSettled).toBe(true)
  })

  it('refuses what it does not know, and answers nothing that is agreed', () => {
    const peer = new Peer()
    expect(peer.say(IAC, WILL, LINEMODE, IAC, DO, LINEMODE)).toEqual([
      IAC,
      DONT,
      LINEMODE,
      IAC,
      WONT,
      LINEMODE,
    ])
    expect(peer.say(IAC, WONT, LINEMODE, IAC, DONT, LINEMODE)).toEqual([])
    expect(peer.say(IAC, DO, ECHO)).toEqual([IAC, WILL, ECHO])
    expect(peer.say(IAC, DO, ECHO)).toEqual([])
    expect(peer.say(IAC, DONT, ECHO)).toEqual([IAC, WONT, ECHO])
    expect(peer.say(IAC, DONT, ECHO)).toEqual([])
  })

  it('takes sizes with 255 in them, and only when they were agreed on', () => {
    const peer = new Peer()
    peer.say(IAC, SB, NAWS, 0, 10, 0, 10, IAC, SE)
    peer.say(IAC, WILL, NAWS, IAC, SB, NAWS, 0, IAC, IAC, 0, 50, IAC, SE)
    expect(peer.sizes).toEqual([[255, 50]])
  })

  it('takes in little of a subnegotiation without end', () => {
    const peer = new Peer()
    peer.say(IAC, WILL, TTYPE, IAC, SB, TTYPE, 0, ...type('x'.repeat(5000)))
    peer.say(IAC, SE, ...type('ok'))
    expect(peer.codec.terminalType).toBe('x'.repeat(62))
    expect(peer.text).toBe('ok')
  })
})

describe('what is typed', () => {
  it.each([
    ['Enter as CR NUL', type('a\r\0b'), 'a\rb'],
    ['Enter as CR LF', type('a\r\nb'), 'a\rb'],
    ['Enter as CR', type('a\rb\r\r\0'), 'a\rb\r\r'],
    ['LF', type('a\nb\n\n'), 'a\nb\n\n'],
    ['octet 255', [IAC, IAC, 97], '\xffa'],
    ['8 bits', type('\xfe\x80'), '\xfe\x80'],
    ['IP, EC, EL', [IAC, 244, IAC, 247, IAC, 248], '\x03\x7f\x15'],
    ['EOF, SUSP, ABORT', [IAC, 236, IAC, 237, IAC, 238], '\x04\x1a\x1c'],
    ['NOP, DM, AO, GA', [97, IAC, 241, IAC, 242, IAC, 245, IAC, 249, 98], 'ab'],
  ])('%s', (_name, octets, text) => {
    const peer = new Peer()
    expect(peer.say(...octets)).toEqual([])
    expect(peer.text).toBe(text)
  })

  it('is as it comes when octets are agreed on', () => {
    const peer = new Peer()
    peer.say(IAC, WILL, BINARY, ...type('a\r\nb\r\0'))
    expect(peer.text).toBe('a\r\nb\r\0')
  })

  it('asks whether we are there, or for attention', () => {
    const peer = new Peer()
    expect(peer.say(IAC, 246)).toEqual(type('\r\n[yes]\r\n'))
    peer.say(IAC, 243)
    expect(peer.attentions).toBe(1)
  })

  it('means the same however it comes in pieces', () => {
    const octet = fc.oneof(
      fc.constantFrom(IAC, IAC, WILL, DO, SB, SE, NAWS, TTYPE, BINARY, 0x0d, 0x0a, 0),
      fc.integer({ min: 0, max: 255 }),
    )
    fc.assert(
      fc.property(fc.array(octet), (octets) => {
        const [whole, pieces] = [new Peer(), new Peer()]
        const answers = whole.say(...octets)
        expect(octets.flatMap((one) => pieces.say(one))).toEqual(answers)
        expect([pieces.typed, pieces.sizes]).toEqual([whole.typed, whole.sizes])
      }),
    )
  })
})

describe('what is shown', () => {
  it('has CR NUL for a CR alone, and 255 twice', () => {
    expect(shown(new Peer(), 'a\r\nb\rc\xff\r', '\n', '\r', 'd')).toBe('a\r\nb\r\0c\xff\xff\r\n\r\0d')
  })

  it('is as it is when octets are agreed on, but for 255', () => {
    const peer = new Peer()
    peer.say(IAC, DO, BINARY)
    expect(shown(peer, 'a\rb\xff')).toBe('a\rb\xff\xff')
  })

  it('is what a peer reads', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), fc.boolean(), (pieces, isBinary) => {
        const [ours, theirs] = [new Peer(), new Peer()]
        if (isBinary) {
          ours.say(IAC, DO, BINARY)
          theirs.say(IAC, WILL, BINARY)
        }
        for (const piece of pieces) theirs.say(...ours.codec.encode(piece))
        // Without agreement a client reads CR LF as a new line, which our reader takes for Enter.
        const text = Buffer.concat(pieces).toString('latin1')
        expect(theirs.text).toBe(isBinary ? text : text.replaceAll('\r\n', '\r'))
      }),
    )
  })
})
