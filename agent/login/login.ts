/** SSH on a transport: key exchange, the host key judged, the user authenticated. */
import ssh2, { type CipherAlgorithm, type Client } from 'ssh2'

import type { Credentials } from '#agent/login/credentials.ts'
import { EXIT_PROTOCOL, EXIT_REFUSED, EXIT_UNREACHABLE, ExitError } from '#agent/exit-codes.ts'
import type { HostKeyCheck } from '#agent/login/host-key.ts'
import type { SshNegotiated } from '#agent/login/negotiated.ts'
import { excerpt } from '#agent/excerpt.ts'
import { reasonOfSocket } from '#agent/way/tcp.ts'
import type { Ask } from '#agent/login/terminal.ts'
import type { Attempt } from '#agent/way/way.ts'
import { textOr } from '#net/base/unknown.ts'
import type { Transport } from '#net/port/tunnel/transport.ts'
import { holdWhileUnread } from '#net/port/tunnel/unread.ts'

const FIRST_SSH_MS = 20_000
/** Octets that wait for the server, beyond which it is not heard. */
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

export interface LoginOptions extends Pick<Attempt, 'ask' | 'lastRoundTripMs' | 'signal'> {
  /** Of the server, for people: `the hub hub.example:2222`. */
  readonly name: string
  readonly user: string
  readonly hostKeys: HostKeyCheck
  readonly credentials: Credentials
  /** The server's SSH has named itself, and its key comes to be judged. */
  readonly onGreeted?: ((software: string) => void) | undefined
  /** Keys are exchanged; also later, when new ones are. */
  readonly onNegotiated?: ((what: SshNegotiated) => void) | undefined
}

/** Key exchange and login take some ten round trips, and a password hash at the hub. */
const sshDeadlineMs = (roundTripMs: number | undefined): number =>
  roundTripMs === undefined ? FIRST_SSH_MS : 5_000 + 12 * roundTripMs

/**
 * Owns the transport from now on: it ends with SSH, and when there is no login.
 * @throws ExitError
 */
export function login(options: LoginOptions, transport: Transport): Promise<Client> {
  const { name, hostKeys, signal, ask } = options
  const { stream, socket } = transport
  const client = new ssh2.Client()
  return new Promise((resolve, reject) => {
    let state: 'keys' | 'login' | 'open' = 'keys'
    let lastError = ''
    // The far end of what is between may be gone, and the connection not.
    if (stream !== socket) stream.once('close', () => socket.destroy())
    const deadline = new Deadline(sshDeadlineMs(options.lastRoundTripMs), () =>
      fail(EXIT_UNREACHABLE, `${name} does not answer in time`),
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
      fail(EXIT_REFUSED, `${name} refuses user ${options.user}${detail} (${tried})`)
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
        fail(EXIT_PROTOCOL, `${name} has no strict key exchange for ${CHACHA}; update its SSH`)
    })
    client.on('ready', () => {
      state = 'open'
      attempts.succeeded()
      stop()
      resolve(client)
    })
    client.on('error', (error) => {
      if (error.level === 'agent') return // its keys cannot be used; the next way is tried
      lastError = reasonOfSocket(error)
      if (state === 'login' && error.level === 'client-authentication') refused('')
      else if (state === 'login' && error.level === undefined) refused(`: ${excerpt(lastError)}`)
      else if (state === 'keys' && error.level === 'client-socket')
        fail(EXIT_UNREACHABLE, `lost ${name}: ${lastError}`)
      else if (state === 'keys') fail(EXIT_PROTOCOL, `no SSH with ${name}: ${excerpt(lastError)}`)
    })
    client.on('close', () => {
      if (state === 'login' && attempts.tried.length > 0) refused(': it closed the connection')
      else fail(EXIT_UNREACHABLE, `${name} closed the connection`)
    })
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) return onAbort()
    if (stream.destroyed) return fail(EXIT_UNREACHABLE, `${name} closed the connection`)
    deadline.start()

    client.connect({
      sock: stream,
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
      // Also called at every key exchange that the server starts later: nobody is asked then.
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
    holdWhileUnread(stream, () => MOST_UNREAD)
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
