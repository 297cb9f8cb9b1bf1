/**
 * The console of a device: a terminal that its programs have, and a unix socket in the device's directory where it is
 * looked at (hub/console/records.ts). It lasts as long as the device's process.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { claimSocketPath, listenOn } from '#net/base/rpc.ts'
import { Pty } from '#net/port/pty.ts'
import {
  type Hello,
  parseResize,
  RECORD_END,
  RECORD_INPUT,
  RECORD_NOTICE,
  RECORD_OUTPUT,
  RECORD_RESIZE,
  RECORD_ROLE,
  RECORD_TAKE_OVER,
  RecordReader,
  records,
  type Size,
  textRecord,
} from '#hub/console/records.ts'
import { ConsoleSession, MOST_VIEWERS, type Viewer } from '#hub/console/session.ts'

/** Viewers, and some who are told that there are too many. */
const MOST_CONNECTIONS = MOST_VIEWERS + 8
const HELLO_TIMEOUT_MS = 5000
/** Octets that wait for a viewer, who then loses some. */
const MOST_WAITING = 256 << 10
/** Octets that were typed and wait for the device, whose writer then has to wait. */
const MOST_TYPED = 16_384

export class DeviceConsole {
  readonly #pty: Pty
  readonly #session: ConsoleSession
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  /** Opens it; viewers come with `listen`. @throws SystemError */
  constructor() {
    const pty = new Pty({
      shown: (octets) => this.#session.output(octets),
      room: () => {
        for (const socket of this.#sockets) socket.resume()
      },
    })
    this.#pty = pty
    this.#session = new ConsoleSession({
      input: (octets) => pty.write(octets),
      resize: ({ columns, rows }) => pty.resize(columns, rows),
      discard: () => pty.discard(),
    })
    pty.resize(80, 24)
    this.#server = createServer((socket) => this.#serve(socket))
    this.#server.maxConnections = MOST_CONNECTIONS
  }

  /** The terminal for the device's programs; stays open. */
  get terminal(): number {
    return this.#pty.slave
  }

  /** Lets viewers come. @throws SystemError when the path cannot be used */
  async listen(path: string): Promise<void> {
    await claimSocketPath(path)
    await listenOn(this.#server, path, 0o666)
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#pty.close()
  }

  #serve(socket: Socket): void {
    const reader = new RecordReader()
    let viewer: RemoteViewer | undefined
    this.#sockets.add(socket)
    const patience = setTimeout(() => socket.destroy(), HELLO_TIMEOUT_MS)
    socket.on('data', (piece: Buffer) => {
      try {
        reader.push(piece)
        viewer ??= this.#join(socket, reader)
        if (!viewer) return
        clearTimeout(patience)
        for (let next = reader.next(); next; next = reader.next()) this.#record(viewer, next.type, next.body)
        if (this.#pty.waiting > MOST_TYPED && viewer === this.#session.writer) socket.pause()
      } catch {
        socket.destroy() // it does not speak as we do
      }
    })
    socket.on('drain', () => viewer?.drained())
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', () => {
      clearTimeout(patience)
      this.#sockets.delete(socket)
      if (viewer) this.#session.leave(viewer)
    })
  }

  /** @throws ProtocolError */
  #join(socket: Socket, reader: RecordReader): RemoteViewer | undefined {
    const hello = reader.hello()
    if (!hello) return undefined
    const viewer = new RemoteViewer(socket, hello)
    if (!this.#session.join(viewer))
      socket.end(textRecord(RECORD_END, `${MOST_VIEWERS} look at this console already`))
    return viewer
  }

  #record(viewer: RemoteViewer, type: number, body: Buffer): void {
    if (type === RECORD_INPUT) this.#session.input(viewer, body)
    else if (type === RECORD_TAKE_OVER) this.#session.takeOver(viewer)
    else if (type === RECORD_RESIZE) {
      viewer.size = parseResize(body) ?? viewer.size
      this.#session.resized(viewer)
    }
  }
}

class RemoteViewer implements Viewer {
  readonly name: string
  readonly typed: boolean
  size: Size | undefined
  readonly #socket: Socket
  #lost = 0

  constructor(socket: Socket, { viewer, terminal, typed }: Hello) {
    this.#socket = socket
    this.name = viewer
    this.typed = typed
    this.size = terminal ?? undefined
  }

  output(octets: Uint8Array): void {
    if (this.#hasRoom) this.#socket.write(records(RECORD_OUTPUT, octets))
    else this.#lost += octets.length
  }

  notice(text: string): void {
    if (this.#hasRoom) this.#socket.write(textRecord(RECORD_NOTICE, text))
  }

  types(isWriter: boolean): void {
    if (this.#socket.writable) this.#socket.write(records(RECORD_ROLE, Buffer.of(isWriter ? 1 : 0)))
  }

  get #hasRoom(): boolean {
    return this.#socket.writable && this.#socket.writableLength <= MOST_WAITING
  }

  /** What waited is sent. */
  drained(): void {
    if (this.#lost === 0) return
    this.notice(`${this.#lost} octets are missing here: you read too slowly`)
    this.#lost = 0
  }
}
