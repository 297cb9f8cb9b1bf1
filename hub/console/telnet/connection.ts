/** A telnet client at the console of a device. */
import type { Socket } from 'node:net'
import * as libc from '#net/port/libc.ts'
import { descriptorOf } from '#net/port/tcp-info.ts'
import { type Size, sizeOf } from '#hub/console/records.ts'
import { TelnetCodec } from '#hub/console/telnet/codec.ts'
import type { ConsoleDevice } from '#hub/console/telnet/config.ts'
import { noticeOn, TERMINAL_RESET } from '#hub/console/terminal-text.ts'
import { ConsoleViewer } from '#hub/console/viewer.ts'

/** How long it may take to say what terminal it is; a program may never say. */
const SETTLE_MS = 1000
/** Octets typed before that. */
const MOST_EARLY = 4096
/** Octets of answers that a client does not read, beyond which it is not heard. */
const MOST_UNREAD = 128 << 10
const KEEPALIVE_MS = 60_000
/** asm-generic/socket.h. RFC 854's Synch comes as urgent data: it is to stay in its place. */
const SO_OOBINLINE = 10
/** What a browser says: a page that it shows may have made it connect, and would type on the console. */
const HTTP = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE) /
/** The same under TLS: a record of a handshake (RFC 8446 §5.1), which holds what a server once gave the browser. */
const isTls = (octets: Uint8Array): boolean => octets[0] === 22 && octets[1] === 3
/** Terminals that are none: RFC 1091's `unknown`, and what programs say. */
const DUMB = new Set(['', 'unknown', 'network', 'dumb'])

/** Serves a connected socket, which it owns, until it ends. */
export class TelnetConnection {
  readonly #socket: Socket
  readonly #device: ConsoleDevice
  readonly #codec: TelnetCodec
  readonly #patience: NodeJS.Timeout
  #size: Size | undefined
  #early: Buffer = Buffer.alloc(0)
  #viewer: ConsoleViewer | undefined
  #isListening = true
  /** Whether anything was typed. */
  #hasTyped = false

  constructor(socket: Socket, device: ConsoleDevice) {
    this.#socket = socket
    this.#device = device
    libc.setsockopt(descriptorOf(socket), libc.SOL_SOCKET, SO_OOBINLINE, libc.intOctets(1), 4)
    socket.setKeepAlive(true, KEEPALIVE_MS)
    this.#codec = new TelnetCodec({
      send: (octets) => this.#write(octets),
      typed: (octets) => this.#typed(octets),
      resized: (columns, rows) => {
        this.#size = sizeOf(columns, rows)
        if (this.#size) this.#viewer?.resize(this.#size)
      },
      attention: () => this.#viewer?.openMenu(),
    })
    this.#patience = setTimeout(() => this.#begin(), SETTLE_MS)
    socket.on('data', (octets: Buffer) => {
      this.#codec.receive(octets)
      if (this.#codec.isSettled) this.#begin()
      this.#heed()
    })
    socket.on('drain', () => {
      this.#viewer?.resume()
      this.#heed()
    })
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', () => {
      clearTimeout(this.#patience)
      this.#viewer?.close()
    })
    this.#codec.begin()
  }

  /** What it is is known, or will not be. */
  #begin(): void {
    if (this.#viewer || this.#socket.destroyed) return
    clearTimeout(this.#patience)
    const isDumb = DUMB.has(this.#codec.terminalType ?? '')
    const { name, socket } = this.#device
    const notice = (text: string): void => void this.#write(this.#codec.encode(noticeOn(text)))
    notice(`console of ${name}; Ctrl-] ? helps`)
    this.#viewer = new ConsoleViewer({
      socket,
      device: name,
      viewer: `telnet from port ${this.#socket.remotePort ?? 0}`,
      terminal: isDumb ? undefined : this.#size,
      hasMenu: true,
      end: {
        write: (octets) => this.#write(this.#codec.encode(octets)),
        notice,
        ended: (why) => {
          if (!isDumb) this.#write(Buffer.from(TERMINAL_RESET))
          notice(why ?? `${name} goes on`)
          this.#socket.end()
        },
        listen: (isListening) => {
          this.#isListening = isListening
          this.#heed()
        },
      },
    })
    this.#viewer.input(this.#early)
  }

  #typed(octets: Uint8Array): void {
    const isFirst = !this.#hasTyped
    this.#hasTyped = true
    // One who answers the negotiation is no browser.
    const isBrowser = (): boolean => HTTP.test(Buffer.from(octets).toString('latin1')) || isTls(octets)
    if (isFirst && !this.#codec.isSettled && isBrowser()) this.#socket.destroy()
    else if (this.#viewer) this.#viewer.input(octets)
    else if (this.#early.length < MOST_EARLY) this.#early = Buffer.concat([this.#early, octets])
  }

  #write(octets: Uint8Array): boolean {
    return this.#socket.writable && this.#socket.write(octets)
  }

  #heed(): void {
    if (this.#isListening && this.#socket.writableLength < MOST_UNREAD) this.#socket.resume()
    else this.#socket.pause()
  }
}
