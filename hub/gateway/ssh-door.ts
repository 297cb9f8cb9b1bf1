/**
 * The SSH server of a gateway: who may come in, and what he may ask for. Accounts are looked up by the control process;
 * this one has no right to read them.
 */
import { createServer, type Server as TcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import ssh2, { type AuthContext, type Connection, type ServerChannel, type Session } from 'ssh2'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'
import { unsentOctets } from '#net/port/tunnel/transport.ts'
import { holdWhileUnread } from '#net/port/tunnel/unread.ts'
import type { BufferLimits } from '#net/tunnel/buffer-bound.ts'
import type { Logger } from '#hub/base/log.ts'
import { printable } from '#net/base/printable.ts'
import type { RpcClient } from '#net/base/rpc.ts'
import { type Caller, callerOn } from '#hub/gateway/caller.ts'
import { serveCapture } from '#hub/gateway/capture.ts'
import { ClientTerminal } from '#hub/gateway/client-terminal.ts'
import { type GatewayCommand, OFFERED, parseCommand } from '#hub/gateway/commands.ts'
import { deviceList, serveConsole } from '#hub/gateway/console.ts'
import { Door, LOGIN_GRACE_MS } from '#hub/gateway/limits.ts'
import { Measurement } from '#hub/gateway/measurement.ts'
import { findBridge } from '#hub/gateway/find-bridge.ts'
import { Plug, type PlugOptions } from '#hub/gateway/plug.ts'
import type { PortsAnswer } from '#hub/gateway/ports.ts'
import { rekeyNowAndThen } from '#hub/gateway/rekey.ts'
import { Tunnel } from '#hub/gateway/tunnel.ts'

const METHODS: ('publickey' | 'password')[] = ['publickey', 'password']
/** Four times sshd's MaxAuthTries: a key counts twice, when it is offered and when it is proven. */
const MAX_ATTEMPTS = 24
/** Longer than any name of an account. */
const LONGEST_NAME = 256
/** Of what a stranger says, as much as a log is to hold. */
const LONGEST_IN_LOG = 64
const CHANNELS_PER_CONNECTION = 64
const KEEPALIVE_MS = 15_000
/** Octets that wait for a peer, beyond which it is not heard. A stranger is told little. */
const MOST_UNREAD = 4 << 20
const MOST_UNREAD_OF_STRANGER = 64 << 10

const ALGORITHMS: ssh2.Algorithms = {
  // Strict key exchange (against CVE-2023-48795) is always offered by ssh2; these modes are not concerned by it.
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes256-ctr',
    'aes128-ctr',
  ],
  compress: ['none'],
}

export interface SshDoorOptions {
  readonly hostKey: Buffer
  readonly accounts: RpcClient
  readonly ports: PortsAnswer
  /** Of its sockets. */
  readonly buffers: BufferLimits
  readonly log: Logger
}

interface Joining {
  readonly channel: ServerChannel
  readonly user: string
  readonly caller: Caller
}

type JoinOptions = Omit<PlugOptions, 'bridge'>

export class SshDoor {
  readonly #options: SshDoorOptions
  readonly #ssh: ssh2.Server
  readonly #tcp: TcpServer
  readonly #door = new Door()
  readonly #tunnels = new Set<Tunnel | Plug | Measurement>()
  /** Users who measure. */
  readonly #measuring = new Set<string>()
  /** By what ssh2 was given. */
  readonly #callers = new Map<unknown, Caller>()
  /** They have said that they speak SSH; ssh2 tells nothing of the others. */
  readonly #greeted = new WeakSet<Caller>()

  constructor(options: SshDoorOptions) {
    this.#options = options
    this.#ssh = new ssh2.Server({
      hostKeys: [options.hostKey],
      ident: 'Hybridge',
      algorithms: ALGORITHMS,
      keepaliveInterval: KEEPALIVE_MS,
    })
    this.#ssh.on('connection', (connection) => this.#connection(connection, this.#callerOf(connection)))
    this.#tcp = createServer({ noDelay: true }, (socket) => this.accept(callerOn(socket)))
    this.#tcp.on('error', (error) =>
      options.log.error({ err: error }, `cannot accept connections: ${error.message}`),
    )
  }

  get tunnels(): number {
    return this.#tunnels.size
  }

  /** @param fd  a listening socket; belongs to the server from now on */
  async listen(fd: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once('error', reject)
      this.#tcp.listen({ fd }, resolve)
    })
  }

  /** Ends all tunnels, telling the agents why, then all connections. */
  async close(why: string): Promise<void> {
    this.#tcp.close()
    for (const tunnel of this.#tunnels) tunnel.bye('hub-stopping', why)
    // The last words are on their way when the sockets have nothing left to write.
    const deadline = performance.now() + 1000
    while (
      performance.now() < deadline &&
      (this.#tunnels.size > 0 || [...this.#callers.values()].some((caller) => unsentOctets(caller) > 0))
    )
      await new Promise((resolve) => setTimeout(resolve, 10))
    for (const { stream } of this.#callers.values()) stream.end()
  }

  /** ssh2 gives a connection without what is under it, and keeps that in a field of its own. */
  #callerOf(connection: Connection): Caller {
    const caller = this.#callers.get(Reflect.get(connection, '_sock'))
    if (caller) return caller
    throw new Error('ssh2 keeps no socket')
  }

  /** SSH with somebody who has connected; his connection belongs to the server from now on. */
  accept(caller: Caller): void {
    const { stream, socket, peerAddress: address } = caller
    // It asks nothing of a socket that other streams cannot do.
    const ssh: { injectSocket(stream: Duplex): void } = this.#ssh
    if (!this.#door.enter(address)) {
      socket.destroy()
      const refused = this.#door.refusedToReport(performance.now())
      if (refused > 0)
        this.#options.log.warn(
          { address },
          `refused ${refused} connections: too many have not logged in, last from ${address}`,
        )
      return
    }
    let admitted = false
    const grace = setTimeout(() => {
      this.#greeted.add(caller) // this line says it all
      this.#options.log.info(
        { address },
        `closed a connection from ${address}: not logged in within ${LOGIN_GRACE_MS / 1000} s`,
      )
      socket.destroy()
    }, LOGIN_GRACE_MS)
    this.#callers.set(stream, caller)
    // What is between may have ended, and the connection not.
    if (stream !== socket) stream.on('close', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(grace)
      this.#callers.delete(stream)
      this.#door.leave(address, admitted)
      if (!this.#greeted.has(caller) && socket.bytesRead > 0)
        this.#options.log.info({ address }, `connection from ${address}: it does not speak SSH`)
    })
    stream.on('error', () => {}) // 'close' follows
    stream.once('admitted', () => {
      admitted = true
      clearTimeout(grace)
      this.#door.admit(address)
    })
    ssh.injectSocket(stream)
    holdWhileUnread(stream, () => (admitted ? MOST_UNREAD : MOST_UNREAD_OF_STRANGER))
  }

  #connection(connection: Connection, caller: Caller): void {
    const { log } = this.#options
    const { peerAddress: address } = caller
    this.#greeted.add(caller)
    let user = ''
    let tried = ''
    let attempts = 0
    let loggedFault = false
    connection.on('error', (error) => {
      if (loggedFault) return
      loggedFault = true
      log.info({ address, user }, `connection from ${address}: ${printable(error.message.slice(0, 200))}`)
    })
    connection.on('authentication', (context) => {
      if (context.method === 'none') return context.reject(METHODS)
      if (++attempts > MAX_ATTEMPTS) {
        connection.end()
        return
      }
      tried = nameOf(context.username)
      if (context.username.length > LONGEST_NAME) return context.reject(METHODS)
      this.#authenticate(context, address, () => {
        user = context.username
      }).catch((error: unknown) => {
        // Not the client's fault: it is not told that it is refused, but may come again.
        log.error({ address, user: tried }, `cannot authenticate ${tried}: ${reasonOf(error)}`)
        tried = ''
        connection.end()
      })
    })
    connection.on('close', () => {
      if (user === '' && tried !== '')
        log.warn({ address, user: tried }, `${tried} refused from ${address}: no accepted key or password`)
    })
    connection.on('ready', () => {
      caller.stream.emit('admitted')
      log.info({ address, user }, `${nameOf(user)} logged in from ${address}`)
      rekeyNowAndThen(connection, caller)
    })
    let channels = 0
    connection.on('session', (accept, reject) => {
      if (channels >= CHANNELS_PER_CONNECTION) return reject()
      channels++
      const session = accept()
      session.on('close', () => channels--)
      this.#session(session, user, caller)
    })
  }

  /**
   * `onAccepted` is called before the client is told, and for a key only when it was proven.
   * @throws when the accounts cannot be asked
   */
  async #authenticate(context: AuthContext, address: string, onAccepted: () => void): Promise<void> {
    const { accounts, log } = this.#options
    const user = context.username
    if (context.method === 'publickey') {
      const signed = context.signature !== undefined
      if (signed && !isSignatureGood(context)) {
        log.warn({ address, user: nameOf(user) }, `bad signature for ${nameOf(user)} from ${address}`)
        return context.reject(METHODS)
      }
      const { algo: algorithm, data } = context.key
      const request = { user, address, algorithm, key: data.toString('base64'), signed }
      if (!isAccepted(await accounts.call('authenticate.key', request))) return context.reject(METHODS)
      if (signed) onAccepted()
      return context.accept()
    }
    if (context.method !== 'password') return context.reject(METHODS)
    const request = { user, address, password: context.password }
    if (!isAccepted(await accounts.call('authenticate.password', request))) return context.reject(METHODS)
    onAccepted()
    return context.accept()
  }

  #session(session: Session, user: string, caller: Caller): void {
    const terminal = new ClientTerminal(session)
    // A person who asks for a shell is told what there is.
    // ssh2 gives no channel to a second request on the same one.
    session.on('shell', (accept) => {
      const channel = accept() as ServerChannel | undefined
      if (channel) refuse(channel, OFFERED)
    })
    session.on('exec', (accept, _reject, info) => {
      const channel = accept() as ServerChannel | undefined
      if (!channel) return
      try {
        this.#run(channel, parseCommand(info.command), user, caller, terminal)
      } catch (error) {
        refuse(channel, reasonOf(error), statusOf(error))
      }
    })
  }

  #run(
    channel: ServerChannel,
    command: GatewayCommand | undefined,
    user: string,
    caller: Caller,
    terminal: ClientTerminal,
  ): void {
    const { accounts, log } = this.#options
    if (!command) return refuse(channel, OFFERED)
    const find = (name: string, join: boolean): Promise<string> => findBridge(accounts, user, name, { join })
    if (command.kind === 'bridge') {
      const { bridge } = command
      const { buffers } = this.#options
      this.#admit((common) => new Tunnel({ ...common, bridge, buffers, find: () => find(bridge, true) }), {
        channel,
        user,
        caller,
      })
    } else if (command.kind === 'plug') void this.#plug(channel, find(command.bridge, true), user, caller)
    else if (command.kind === 'measure') this.#measure(channel, command, user, caller)
    else if (command.kind === 'list') void this.#tell(channel, this.#listed(user, command.json))
    else if (command.kind === 'find') void this.#tell(channel, find(command.bridge, false).then(line))
    else if (command.kind === 'ports') {
      const { ports } = this.#options
      const text = find(command.bridge, false).then((bridge) => ports.text(bridge, command.json))
      void this.#tell(channel, text.then(line))
    } else if (command.kind === 'devices') void this.#tell(channel, deviceList(accounts, user, command.json))
    else if (command.kind === 'console')
      serveConsole(channel, command.device, {
        user,
        address: caller.peerAddress,
        terminal,
        accounts,
        log,
      }).catch((error: unknown) => refuse(channel, reasonOf(error)))
    else
      serveCapture(channel, command.words, user, (name) => find(name, false)).catch((error: unknown) =>
        refuse(channel, reasonOf(error), statusOf(error)),
      )
  }

  /** Keeps what carries frames until it ends. */
  #admit(make: (common: JoinOptions) => Tunnel | Plug, joining: Joining): void {
    const joined = make({
      ...joining,
      log: (level, text) => this.#options.log[level](text),
      onEnd: () => this.#tunnels.delete(joined),
    })
    this.#tunnels.add(joined)
  }

  async #plug(channel: ServerChannel, found: Promise<string>, user: string, caller: Caller): Promise<void> {
    channel.on('error', () => {})
    try {
      const bridge = await found
      // What the client says meanwhile waits in the channel; when it has gone, nobody is left to be told.
      if (channel.writable)
        this.#admit((common) => new Plug({ ...common, bridge }), { channel, user, caller })
    } catch (error) {
      refuse(channel, `vde_plug: ${reasonOf(error)}`)
    }
  }

  /** Says one text, or why there is none. */
  async #tell(channel: ServerChannel, text: Promise<string>): Promise<void> {
    channel.on('error', () => {})
    channel.resume()
    try {
      channel.write(await text)
      channel.exit(0)
      channel.end()
    } catch (error) {
      refuse(channel, reasonOf(error))
    }
  }

  #measure(
    channel: ServerChannel,
    { direction, ms }: Extract<GatewayCommand, { kind: 'measure' }>,
    user: string,
    caller: Caller,
  ): void {
    if (this.#measuring.has(user))
      return refuse(channel, 'you measure already; try again when that has ended')
    this.#measuring.add(user)
    const measurement = new Measurement({
      direction,
      ms,
      channel,
      transport: caller,
      onEnd: () => {
        this.#measuring.delete(user)
        this.#tunnels.delete(measurement)
      },
    })
    this.#tunnels.add(measurement)
  }

  async #listed(user: string, json: boolean): Promise<string> {
    const bridges = await this.#options.accounts.call('bridges', { user })
    if (json) return line(JSON.stringify(bridges))
    const rows = Array.isArray(bridges) ? bridges : []
    return rows.map((row) => line(isRecord(row) ? textOr(row['name'], '') : '')).join('')
  }
}

const line = (text: string): string => `${text}\n`

const nameOf = (user: string): string => printable(user.slice(0, LONGEST_IN_LOG))

function isAccepted(answer: unknown): boolean {
  return isRecord(answer) && answer['accepted'] === true
}

function isSignatureGood(context: ssh2.PublicKeyAuthContext): boolean {
  const key = ssh2.utils.parseKey(context.key.data)
  if (key instanceof Error || Array.isArray(key)) return false
  const { blob, signature, hashAlgo } = context as { blob?: Buffer; signature?: Buffer; hashAlgo?: string }
  // Without one it is SHA-1, which is not to be trusted for signatures any more.
  if (key.type === 'ssh-rsa' && hashAlgo === undefined) return false
  return blob !== undefined && signature !== undefined && key.verify(blob, signature, hashAlgo)
}

/** As the exit code of `hybridge`: 2 for wrong words. */
const statusOf = (error: unknown): number => (error instanceof ConfigError ? 2 : 1)

function refuse(channel: ServerChannel, why: string, status = 1): void {
  channel.on('error', () => {})
  channel.resume()
  channel.stderr.write(`${why}\r\n`)
  channel.exit(status)
  channel.end()
}
