/** Reaching the hub: a TCP connection of our own, SSH on it, the host key judged, the user authenticated. */
import type { Socket } from 'node:net'

import ssh2, { type CipherAlgorithm, type Client, type ClientChannel } from 'ssh2'

import { plainAddress } from '#net/port/nic/carrier.ts'
import type { Credentials } from '#agent/credentials.ts'
import { EXIT_PROTOCOL, EXIT_REFUSED, EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import type { HostKeyCheck } from '#agent/host-key.ts'
import { formatHubAddress } from '#agent/hub-address.ts'
import { connectTcp, reasonOfSocket } from '#agent/tcp.ts'
import type { SshNegotiated } from '#agent/negotiated.ts'
import type { Ask } from '#agent/terminal.ts'
import { printable } from '#agent/printable.ts'
import { textOr } from '#net/base/unknown.ts'
import { holdWhileUnread } from '#net/port/tunnel/unread.ts'

const FIRST_TCP_MS = 10_000
const FIRST_SSH_MS = 20_000
const EXEC_MS = 10_000
const FLUSH_MS = 1_000
/** Octets that wait for the hub, beyond which it is not heard. */
const MOST_UNREAD = 4 << 20

const CHACHA: CipherAlgorithm = 'chacha20-poly1305@openssh.com'
/** By speed with AES instructions; no CBC, and chacha20 only where both sides have strict key exchange. */
const CIPHERS: CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes256-ctr',
  CHACHA,
]

export interface DialOptions {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly hostKeys: HostKeyCheck
  readonly credentials: Credentials
  /** Undefined when nobody can, or may, be asked. */
  readonly ask: Ask | undefined
  /** Round trip of the link before, in milliseconds; undefined the first time. */
  readonly lastRoundTripMs: number | undefined
  /** Looks at the TCP connection before anything is said on it; throws to refuse it. */
  readonly onSocket?: (socket: Socket) => Promise<void>
  /** Called with a numeric address of the hub before each attempt to connect to it. */
  readonly onAddress?: ((address: string, port: number) => void) | undefined
  /** The hub's SSH has named itself, and its key comes to be judged. */
  readonly onGreeted?: (software: string) => void
  /** Keys are exchanged; also later, when new ones are. */
  readonly onNegotiated?: (what: SshNegotiated) => void
  readonly signal: AbortSignal
}

/** An authenticated connection. */
export class HubConnection {
  readonly #client: Client
  readonly socket: Socket
  /** Numeric address of the hub. */
  readonly address: string
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>
  /** Milliseconds that the TCP connection took. */
  readonly roundTripMs: number

  constructor(client: Client, socket: Socket, closed: Promise<void>, roundTripMs: number) {
    this.#client = client
    this.socket = socket
    this.address = plainAddress(socket.remoteAddress ?? '')
    this.closed = closed
    this.roundTripMs = roundTripMs
  }

  /** Opens a channel with a command of the hub. Its stdout and stderr must be drained, else it never closes. */
  exec(command: string): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new ExitError(EXIT_UNREACHABLE, 'the hub does not answer in time'))
        this.destroy()
      }, EXEC_MS)
      this.#client.exec(command, (error: Error | undefined, channel) => {
        clearTimeout(timer)
        if (error)
          reject(new ExitError(EXIT_PROTOCOL, `the hub refuses the command: ${printable(error.message)}`))
        else resolve(channel)
      })
    })
  }

  /** As `exec`, for what nothing depends on: a hub that never answers is not taken for dead. @throws Error when it is */
  tryExec(command: string, tell: (error: Error | undefined, channel: ClientChannel) => void): void {
    this.#client.exec(command, tell)
  }

  /** Ends in order: what is written goes out first, if it goes out soon. */
  end(): void {
    this.#client.end()
    const timer = setTimeout(() => this.destroy(), FLUSH_MS)
    this.socket.once('close', () => clearTimeout(timer))
    if (this.socket.closed) clearTimeout(timer)
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** Connects and logs in. @throws ExitError */
export async function dial(options: DialOptions): Promise<HubConnection> {
  const deadlineMs = tcpDeadlineMs(options.lastRoundTripMs)
  const { host, port, signal, onAddress } = options
  const { socket, roundTripMs } = await connectTcp({ host, port, deadlineMs, signal, onAddress })
  try {
    await options.onSocket?.(socket)
    return await login(options, socket, roundTripMs)
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** On a reconnect an attempt gives up after 2 s and two round trips, so that no SYN back-off outlives the outage. */
const tcpDeadlineMs = (roundTripMs: number | undefined): number =>
  roundTripMs === undefined ? FIRST_TCP_MS : 2_000 + 2 * roundTripMs

/** Key exchange and login take some ten round trips, and a password hash at the hub. */
const sshDeadlineMs = (roundTripMs: number | undefined): number =>
  roundTripMs === undefined ? FIRST_SSH_MS : 5_000 + 12 * roundTripMs

/** SSH on a connected socket: key exchange, host key, authentication. */
function login(options: DialOptions, socket: Socket, roundTripMs: number): Promise<HubConnection> {
  const { hostKeys, signal } = options
  const hub = formatHubAddress(options.host, options.port)
  const client = new ssh2.Client()
  return new Promise((resolve, reject) => {
    let state: 'keys' | 'login' | 'open' = 'keys'
    let lastError = ''
    const closed = new Promise<void>((done) => {
      socket.once('close', () => done())
    })
    const deadline = new Deadline(sshDeadlineMs(options.lastRoundTripMs), () =>
      fail(EXIT_UNREACHABLE, `the hub ${hub} does not answer in time`),
    )
    const onAbort = (): void => fail(EXIT_UNREACHABLE, 'ended on request')
    const stop = (): void => {
      deadline.stop()
      signal.removeEventListener('abort', onAbort)
    }
    const failWith = (error: unknown): void => {
      stop()
      socket.destroy()
      reject(error)
    }
    const fail = (code: number, message: string): void => failWith(new ExitError(code, message))
    const { ask } = options
    // Questions take the time that people take.
    const patientAsk: Ask | undefined =
      ask &&
      (async (question, hidden) => {
        deadline.stop()
        try {
          return await ask(question, hidden)
        } finally {
          deadline.start()
        }
      })
    const attempts = options.credentials.login(patientAsk)
    const refused = (detail: string): void => {
      const tried =
        attempts.tried.length > 0 ? `tried: ${attempts.tried.join(', ')}` : 'no key and no password to try'
      fail(EXIT_REFUSED, `the hub ${hub} refuses user ${options.user}${detail} (${tried})`)
    }

    client.on('handshake', (negotiated) => {
      if (state === 'keys') state = 'login'
      options.onNegotiated?.({
        software: softwareOf(client),
        cipher: negotiated.cs.cipher,
        kex: negotiated.kex,
        hostKeyAlgorithm: negotiated.serverHostKey,
        isStrict: isStrict(client),
      })
      if (negotiated.cs.cipher !== CHACHA && negotiated.sc.cipher !== CHACHA) return
      if (!isStrict(client))
        fail(EXIT_PROTOCOL, `the hub ${hub} has no strict key exchange for ${CHACHA}; update its SSH`)
    })
    client.on('ready', () => {
      state = 'open'
      attempts.succeeded()
      stop()
      resolve(new HubConnection(client, socket, closed, roundTripMs))
    })
    client.on('error', (error) => {
      if (error.level === 'agent') return // its keys cannot be used; the next way is tried
      lastError = reasonOfSocket(error)
      if (state === 'login' && error.level === 'client-authentication') refused('')
      else if (state === 'login' && error.level === undefined) refused(`: ${printable(lastError)}`)
      else if (state === 'keys' && error.level === 'client-socket')
        fail(EXIT_UNREACHABLE, `lost the hub ${hub}: ${lastError}`)
      else if (state === 'keys') fail(EXIT_PROTOCOL, `no SSH with ${hub}: ${printable(lastError)}`)
    })
    client.on('close', () => {
      if (state === 'login' && attempts.tried.length > 0) refused(': it closed the connection')
      else fail(EXIT_UNREACHABLE, `the hub ${hub} closed the connection`)
    })
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    deadline.start()

    client.connect({
      sock: socket,
      username: options.user,
      readyTimeout: 0,
      keepaliveInterval: 0, // the tunnel has its own
      algorithms: {
        cipher: CIPHERS,
        serverHostKey: hostKeys.algorithms(),
        hmac: [
          'hmac-sha2-256-etm@openssh.com',
          'hmac-sha2-512-etm@openssh.com',
          'hmac-sha2-256',
          'hmac-sha2-512',
        ],
        compress: ['none'],
      },
      // Also called at every key exchange that the hub starts later: nobody is asked then.
      hostVerifier: (key: Buffer, verify: (ok: boolean) => void) => {
        options.onGreeted?.(softwareOf(client))
        hostKeys.judge(key, state === 'keys' ? patientAsk : undefined).then(
          () => verify(true),
          (error: unknown) => {
            failWith(error)
            verify(false)
          },
        )
      },
      authHandler: (left, _partial, next) => {
        attempts
          .next(left ?? undefined)
          .then((method) => (method === undefined ? refused('') : next(method)), failWith)
      },
    })
    holdWhileUnread(socket, () => MOST_UNREAD)
  })
}

/** ssh2 does not say in its interface whether strict key exchange (kex-strict-s-v00) holds; absent means no. */
function isStrict(client: Client): boolean {
  const protocol: unknown = Reflect.get(client, '_protocol')
  return typeof protocol === 'object' && protocol !== null && Reflect.get(protocol, '_strictMode') === true
}

/** As the version line of SSH has it (RFC 4253 §4.2), which ssh2 keeps to itself; empty when it does not. */
const softwareOf = (client: Client): string => textOr(Reflect.get(client, '_remoteVer'), '')

class Deadline {
  readonly #ms: number
  readonly #expire: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number, expire: () => void) {
    this.#ms = ms
    this.#expire = expire
  }

  start(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#expire, this.#ms)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
