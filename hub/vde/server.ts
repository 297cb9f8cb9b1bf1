/**
 * The VDE side of a bridge: clients of VDE (QEMU, User-Mode Linux, vde_plug) plug into its numbered ports through a
 * directory of sockets. A client that asks for a number gets that port or none; the port stays, with its counters and
 * settings, when the client has left. Any other gets the lowest free one, which goes with it.
 */
import { randomInt } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { ProtocolError, reasonOf } from '#net/base/errors.ts'
import * as libc from '#net/port/libc.ts'
import { SOCKADDR_UN, unixAddress } from '#net/port/unix-address.ts'
import { decodeRequest, type PlugRequest } from '#net/port/vde/handshake.ts'
import { VdePort } from '#net/port/vde/vde-port.ts'
import type { Switch, SwitchPort } from '#net/switch/switch.ts'
import { isInGroup, userName } from '#hub/base/account-names.ts'
import { listenUnix, type UnixListener } from '#hub/base/unix-listener.ts'
import { connectTo, ownerOf } from '#hub/vde/client-socket.ts'
import { claimDirectory, leaveDirectory, removeSocket } from '#hub/vde/directory.ts'
import { NumberedPort } from '#hub/vde/numbered-port.ts'
import { PlugConnection } from '#hub/vde/plug-connection.ts'
import type { PortAccessTable } from '#hub/vde/port-access.ts'

/** Clients, those that have not asked yet among them. */
const MAX_CLIENTS = 1024
const MAX_NUMBER = 1024
const REFUSALS_LOGGED_EVERY_MS = 1000

export interface VdeServerOptions {
  /** Made by `prepareDirectory`. */
  readonly directory: string
  /** Permissions of its sockets. */
  readonly mode: number
  readonly switch: Switch
  readonly access: PortAccessTable
  readonly say: (level: 'info' | 'warn', text: string) => void
}

interface Endpoint {
  readonly connection: PlugConnection
  readonly uid: number
  readonly description: string
  readonly plug: VdePort
  readonly path: string
  readonly held: HeldPort
}

interface HeldPort {
  readonly entry: SwitchPort
  readonly port: NumberedPort
  readonly uid: number
  /** Its number was asked for. */
  readonly stays: boolean
  readonly endpoints: Endpoint[]
}

export class VdeServer {
  readonly #options: VdeServerOptions
  readonly #listener: UnixListener
  /** By number: those with clients. */
  readonly #held = new Map<number, HeldPort>()
  readonly #waiting = new Set<PlugConnection>()
  readonly #endpoints = new Map<PlugConnection, Endpoint>()
  #refusals = 0
  #refusalLoggedAt = Number.NEGATIVE_INFINITY

  /** @throws SystemError when the directory cannot be served in */
  constructor(options: VdeServerOptions) {
    this.#options = options
    claimDirectory(options.directory)
    this.#listener = listenUnix(join(options.directory, 'ctl'), options.mode, (fd) => this.#accept(fd))
  }

  get directory(): string {
    return this.#options.directory
  }

  /** Permissions of its sockets. */
  get mode(): number {
    return this.#options.mode
  }

  /** The clients that are plugged in, `id` telling those of one port apart. */
  endpoints(): { id: number; port: number; uid: number; description: string }[] {
    return [...this.#endpoints.values()].map(({ connection, held, uid, description }) => ({
      id: connection.fd,
      port: held.entry.number,
      uid,
      description,
    }))
  }

  /** Unplugs a client. @returns false when there is none of that number at that port */
  closeEndpoint(port: number, id: number): boolean {
    const endpoint = this.#held.get(port)?.endpoints.find(({ connection }) => connection.fd === id)
    if (endpoint) this.#unplug(endpoint, 'unplugged by an operator')
    return endpoint !== undefined
  }

  /** Unplugs all clients, which see the end of their connections, and removes what the server made. */
  close(): void {
    this.#listener.close()
    for (const connection of this.#waiting) connection.close()
    this.#waiting.clear()
    for (const endpoint of this.#endpoints.values()) this.#release(endpoint)
    leaveDirectory(this.#options.directory)
  }

  #accept(fd: number): void {
    if (this.#waiting.size + this.#endpoints.size >= MAX_CLIENTS) {
      libc.close(fd)
      this.#refused('there are too many')
      return
    }
    const connection = new PlugConnection(fd, {
      onRequest: (from, octets) => this.#requested(from, octets),
      onEnd: (from, why) => {
        const endpoint = this.#endpoints.get(from)
        if (endpoint) this.#unplug(endpoint, why)
      },
    })
    this.#waiting.add(connection)
  }

  #requested(connection: PlugConnection, octets: Uint8Array): void {
    this.#waiting.delete(connection)
    try {
      this.#plugIn(connection, decodeRequest(octets))
    } catch (error) {
      connection.close()
      this.#refused(reasonOf(error))
    }
  }

  /** @throws ProtocolError, SystemError when the client is refused; nothing is left of it then */
  #plugIn(connection: PlugConnection, request: PlugRequest): void {
    const { directory, mode, switch: bridge, say } = this.#options
    const uid = ownerOf(request.address, connection.uid)
    if (request.isManagement && connection.uid !== 0 && connection.uid !== process.geteuid?.())
      throw new ProtocolError('access', 'the port of management clients is for the user of the hub')
    const fd = connectTo(request.address)
    let path = ''
    let held: HeldPort | undefined
    try {
      held = request.port === 0 ? this.#anyPort(uid) : this.#wantedPort(request.port, uid)
      const port = join(directory, String(held.entry.number).padStart(3, '0'))
      path = `${port}.${connection.fd}`
      // Who may write in the directory may have put something there.
      if (isTaken(path)) path = `${port}.${randomInt(1_000_000_000)}`
      bindSocket(fd, path, mode)
      if (!connection.reply(unixAddress(path))) throw new ProtocolError('gone', 'it is gone')
    } catch (error) {
      libc.close(fd)
      if (path !== '') removeSocket(path)
      if (held) this.#letGo(held)
      throw error
    }
    const { entry, port, endpoints } = held
    const plug = new VdePort({ name: port.name, fd, counters: entry.counters, sink: entry })
    const { description } = request
    const endpoint = { connection, uid, description, plug, path, held }
    port.add(plug)
    endpoints.push(endpoint)
    this.#endpoints.set(connection, endpoint)
    this.#held.set(entry.number, held)
    entry.description = endpoints[0]?.description ?? ''
    entry.connect(port)
    say('info', `${port.name} joined ${bridge.name} as port ${entry.number}: ${description}`)
  }

  /** @throws ProtocolError when the user may not have it */
  #wantedPort(number: number, uid: number): HeldPort {
    const { switch: bridge, access } = this.#options
    if (number > MAX_NUMBER) throw new ProtocolError('port', `port ${number} is above ${MAX_NUMBER}`)
    const held = this.#held.get(number)
    const entry = bridge.entry(number)
    if (held ? held.uid !== uid : entry !== null && (entry.port !== null || entry.isReserved))
      throw new ProtocolError('port', `port ${number} is somebody else's`)
    if (!access.mayUse(number, uid, isInGroup))
      throw new ProtocolError('access', `user ${uid} may not use port ${number}`)
    return held ?? this.#hold(entry ?? bridge.addEntry(number), uid, true)
  }

  /** The lowest that is free and may be given to anybody. @throws ProtocolError when there is none */
  #anyPort(uid: number): HeldPort {
    const { switch: bridge, access } = this.#options
    for (let number = 1; number <= MAX_NUMBER; number++) {
      const entry = bridge.entry(number)
      if (entry !== null && (entry.port !== null || entry.isReserved)) continue
      if (!access.of(number).allocatable || !access.mayUse(number, uid, isInGroup)) continue
      return this.#hold(entry ?? bridge.addEntry(number), uid, entry !== null)
    }
    throw new ProtocolError('port', 'no port is free')
  }

  #hold(entry: SwitchPort, uid: number, stays: boolean): HeldPort {
    return {
      entry,
      port: new NumberedPort(`vde:${userName(uid)}`, entry.counters),
      uid,
      stays,
      endpoints: [],
    }
  }

  #unplug(endpoint: Endpoint, why: string): void {
    const { switch: bridge, say } = this.#options
    const { port, entry } = endpoint.held
    say('info', `${port.name} left port ${entry.number} of ${bridge.name}: ${why}`)
    this.#release(endpoint)
  }

  #release(endpoint: Endpoint): void {
    const { connection, plug, path, held } = endpoint
    this.#endpoints.delete(connection)
    held.endpoints.splice(held.endpoints.indexOf(endpoint), 1)
    held.port.remove(plug)
    connection.close()
    plug.close()
    removeSocket(path)
    this.#letGo(held)
  }

  /** After a client left, or did not come: the port goes with its last one. */
  #letGo({ entry, endpoints, stays }: HeldPort): void {
    const { switch: bridge, access } = this.#options
    const [first] = endpoints
    entry.description = first?.description ?? ''
    if (first) return
    this.#held.delete(entry.number)
    entry.disconnect()
    if (stays || bridge.entry(entry.number) !== entry) return
    bridge.removeEntry(entry.number)
    access.remove(entry.number)
  }

  #refused(why: string): void {
    this.#refusals++
    const now = performance.now()
    if (now - this.#refusalLoggedAt < REFUSALS_LOGGED_EVERY_MS) return
    const { switch: bridge, say } = this.#options
    const others = this.#refusals > 1 ? ` (${this.#refusals} since the last such line)` : ''
    say('warn', `refused a VDE client on ${bridge.name}: ${why}${others}`)
    this.#refusals = 0
    this.#refusalLoggedAt = now
  }
}

const isTaken = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined

/** Gives the socket its address in the file system, for the client to connect to. @throws SystemError */
function bindSocket(fd: number, path: string, mode: number): void {
  const mask = process.umask(0o777 & ~mode)
  const result = libc.bind(fd, unixAddress(path), SOCKADDR_UN)
  process.umask(mask)
  if (result < 0) throw libc.systemError(`cannot make ${path}`)
}
