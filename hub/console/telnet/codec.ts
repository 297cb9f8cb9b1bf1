/**
 * The server's end of telnet, RFC 854: what is typed, options, the window's size and the terminal's name in what the peer
 * sends; octets for its terminal made ready for the way.
 */
import { u16 } from '#net/wire/octets.ts'
import { BINARY, TelnetOptions, TERMINAL_TYPE, WILL, WINDOW_SIZE, DONT } from '#hub/console/telnet/options.ts'

const IAC = 255
const SB = 250
const SE = 240
const BREAK = 243
const ARE_YOU_THERE = 246
/** Functions of the network virtual terminal, RFC 854 and 1184, as the keys that mean the same to Linux' terminals. */
const KEYS: Readonly<Record<number, number>> = {
  236: 0x04, // EOF: Ctrl-D
  237: 0x1a, // SUSP: Ctrl-Z
  238: 0x1c, // ABORT: Ctrl-\
  244: 0x03, // IP: Ctrl-C
  247: 0x7f, // EC: Backspace
  248: 0x15, // EL: Ctrl-U
}
const CR = 0x0d
const LF = 0x0a
const NUL = 0x00
const TTYPE_IS = 0
const TTYPE_SEND = 1
/** Octets of a subnegotiation that are kept; a terminal's name has 40 at most (RFC 1091). */
const LONGEST_SUB = 64

export interface TelnetEvents {
  /** To be sent to the peer as it is. */
  send(octets: Uint8Array): void
  /** What was typed; of the codec, valid during the call. */
  typed(octets: Uint8Array): void
  /** Of the peer's window, as it says. */
  resized(columns: number, rows: number): void
  /** BRK: there is no such line here; the peer wants to be heard by somebody before the device. */
  attention(): void
}

/** Where in the stream the next octet is. */
type Place = 'data' | 'command' | 'option' | 'sub' | 'sub-command'

export class TelnetCodec {
  readonly #options = new TelnetOptions()
  readonly #events: TelnetEvents
  #place: Place = 'data'
  #verb = 0
  readonly #sub = new Uint8Array(LONGEST_SUB)
  #subLength = 0
  /** The last octet received was CR: LF or NUL belong to it. */
  #isAfterCr = false
  /** The last octet sent was CR. */
  #sentCr = false
  #terminalType: string | undefined
  #hasSize = false

  constructor(events: TelnetEvents) {
    this.#events = events
  }

  /** Asks the peer for what we want. */
  begin(): void {
    this.#events.send(Buffer.from([...this.#options.ask()].flatMap((words) => [IAC, ...words])))
  }

  /** As the peer says, in lower case; undefined: it has not said. */
  get terminalType(): string | undefined {
    return this.#terminalType
  }

  /** Whether the peer has said all that it was asked. */
  get isSettled(): boolean {
    const { isSettled } = this.#options
    const named = !this.#options.isTheirs(TERMINAL_TYPE) || this.#terminalType !== undefined
    return isSettled && named && (!this.#options.isTheirs(WINDOW_SIZE) || this.#hasSize)
  }

  receive(octets: Uint8Array): void {
    const typed = Buffer.allocUnsafe(octets.length)
    let length = 0
    const flush = (): void => {
      if (length > 0) this.#events.typed(typed.subarray(0, length))
      length = 0
    }
    for (const octet of octets) {
      if (this.#place === 'data') {
        if (octet === IAC) this.#place = 'command'
        else if (this.#isText(octet)) typed[length++] = octet
      } else if (this.#place === 'command') {
        this.#place = 'data'
        const key = octet === IAC ? IAC : KEYS[octet]
        if (key !== undefined) typed[length++] = key
        else {
          flush()
          this.#command(octet)
        }
      } else if (this.#place === 'option') {
        this.#place = 'data'
        flush()
        this.#option(this.#verb, octet)
      } else if (this.#inSub(octet)) {
        flush()
        this.#subnegotiation(this.#sub.subarray(0, this.#subLength))
      }
    }
    flush()
  }

  /** Octets for the peer's terminal. */
  encode(octets: Uint8Array): Buffer {
    const isBinary = this.#options.isOurs(BINARY)
    const encoded = Buffer.allocUnsafe(octets.length * 2 + 1)
    let length = 0
    for (const octet of octets) {
      if (this.#sentCr && octet !== LF && !isBinary) encoded[length++] = NUL
      if (octet === IAC) encoded[length++] = IAC
      encoded[length++] = octet
      this.#sentCr = octet === CR
    }
    return encoded.subarray(0, length)
  }

  /** CR LF and CR NUL are the one key Enter, unless octets come as they are (RFC 854, RFC 856). */
  #isText(octet: number): boolean {
    const isRest = this.#isAfterCr && (octet === LF || octet === NUL)
    this.#isAfterCr = octet === CR && !this.#options.isTheirs(BINARY)
    return !isRest
  }

  #command(octet: number): void {
    if (octet >= WILL && octet <= DONT) {
      this.#verb = octet
      this.#place = 'option'
    } else if (octet === SB) {
      this.#subLength = 0
      this.#place = 'sub'
    } else if (octet === BREAK) this.#events.attention()
    else if (octet === ARE_YOU_THERE) this.#events.send(Buffer.from('\r\n[yes]\r\n'))
  }

  #option(verb: number, option: number): void {
    const hadType = this.#options.isTheirs(TERMINAL_TYPE)
    const answer = this.#options.receive(verb, option)
    if (answer !== undefined) this.#events.send(Buffer.of(IAC, answer, option))
    if (!hadType && this.#options.isTheirs(TERMINAL_TYPE))
      this.#events.send(Buffer.of(IAC, SB, TERMINAL_TYPE, TTYPE_SEND, IAC, SE))
  }

  /** @returns whether a subnegotiation is complete; what is too long has its end cut off. */
  #inSub(octet: number): boolean {
    if (this.#place === 'sub' && octet === IAC) {
      this.#place = 'sub-command'
      return false
    }
    if (this.#place === 'sub-command' && octet !== IAC) {
      this.#place = 'data'
      return octet === SE
    }
    this.#place = 'sub'
    if (this.#subLength < LONGEST_SUB) this.#sub[this.#subLength++] = octet
    return false
  }

  #subnegotiation(sub: Uint8Array): void {
    if (sub[0] === WINDOW_SIZE && sub.length === 5 && this.#options.isTheirs(WINDOW_SIZE)) {
      this.#hasSize = true
      this.#events.resized(u16(sub, 1), u16(sub, 3))
    } else if (sub[0] === TERMINAL_TYPE && sub[1] === TTYPE_IS)
      this.#terminalType = Buffer.from(sub.subarray(2)).toString('latin1').toLowerCase()
  }
}
