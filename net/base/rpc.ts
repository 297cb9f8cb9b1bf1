/**
 * JSON lines over unix stream sockets, one request or answer a line:
 *
 *    {"id":1,"op":"ports","bridge":"lab0"}  ->  {"id":1,"ok":true,"result":[...]}
 *                                           or  {"id":1,"ok":false,"error":{"code":"unknown-bridge","message":"..."}}
 *
 * Answers come in the order in which handlers finish. Requests are bounded to 1 MiB, answers to 16 MiB; a peer that
 * does not read its answers is not read from. What is no request is answered with `id` null, and the connection closed.
 */
import { lstatSync, renameSync, rmSync, unlinkSync } from 'node:fs'
import net from 'node:net'
import { ProtocolError, SystemError, reasonOf } from '#net/base/errors.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'

export const MAX_REQUEST = 1024 * 1024
const MAX_ANSWER = 16 * MAX_REQUEST
/** How long a refused peer may take to read why. */
const LINGER_MS = 2000

export type RpcParams = Readonly<Record<string, unknown>>
interface RpcContext {
  /** Aborted when the connection is gone. */
  readonly signal: AbortSignal
}
/**
 * A ProtocolError that a handler throws is the answer; anything else is answered as `internal` and given to
 * `onFailure`.
 */
export type RpcHandlers = Readonly<Record<string, (params: RpcParams, context: RpcContext) => unknown>>

export interface RpcOptions {
  /** Requests of one connection under way at once; further ones wait in the socket. */
  readonly maxInFlight?: number
  readonly maxConnections?: number
  /** Of the socket file. */
  readonly mode?: number
  readonly onFailure?: (op: string, error: unknown) => void
}

/** Lines of a stream of octets; holds less than `limit` octets and one chunk. */
class LineBuffer {
  readonly #limit: number
  #octets: Buffer = Buffer.alloc(0)
  /** Octets before this hold no newline. */
  #searched = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  push(chunk: Buffer): void {
    this.#octets = this.#octets.length === 0 ? chunk : Buffer.concat([this.#octets, chunk])
  }

  /** The next whole line without its newline. @throws ProtocolError `too-long` */
  next(): string | undefined {
    const end = this.#octets.indexOf(0x0a, this.#searched)
    if ((end < 0 ? this.#octets.length : end) > this.#limit) {
      throw new ProtocolError('too-long', `a line is longer than ${this.#limit} octets`)
    }
    if (end < 0) {
      this.#searched = this.#octets.length
      return undefined
    }
    const line = this.#octets.toString('utf8', 0, end)
    this.#octets = this.#octets.subarray(end + 1)
    this.#searched = 0
    return line
  }
}

function parseObject(line: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new ProtocolError('malformed', 'a line is no JSON')
  }
  if (!isRecord(value)) throw new ProtocolError('malformed', 'a line is no JSON object')
  return value
}

function parseRequest(line: string): { id: number; op: string; params: RpcParams } {
  const { id, op, ...params } = parseObject(line)
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || typeof op !== 'string') {
    throw new ProtocolError('malformed', 'a request needs an integer `id` and a text `op`')
  }
  return { id, op, params }
}

const failure = (id: number | null, code: string, message: string): string =>
  `${JSON.stringify({ id, ok: false, error: { code, message } })}\n`

/** Answers requests on one connected socket until it ends. */
function serveRpcConnection(socket: net.Socket, handlers: RpcHandlers, options: RpcOptions = {}): void {
  const maxInFlight = options.maxInFlight ?? 16
  const lines = new LineBuffer(MAX_REQUEST)
  const gone = new AbortController()
  const context: RpcContext = { signal: gone.signal }
  let inFlight = 0
  let refused = false

  const answerTo = async (id: number, op: string, params: RpcParams): Promise<string> => {
    const handler = Object.hasOwn(handlers, op) ? handlers[op] : undefined
    if (!handler) return failure(id, 'unknown-op', `no operation ${JSON.stringify(op.slice(0, 64))}`)
    try {
      const result = (await handler(params, context)) ?? null
      const line = `${JSON.stringify({ id, ok: true, result })}\n`
      return line.length > MAX_ANSWER ? failure(id, 'too-long', 'the answer is too long') : line
    } catch (error) {
      if (error instanceof ProtocolError) return failure(id, error.code, error.message)
      options.onFailure?.(op, error)
      return failure(id, 'internal', 'internal error, see the log')
    }
  }

  const refuse = (error: unknown): void => {
    refused = true
    const code = error instanceof ProtocolError ? error.code : 'internal'
    socket.end(failure(null, code, reasonOf(error)))
    // What still comes is read and thrown away, as a close before it would take the answer with it.
    socket.resume()
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.on('close', () => clearTimeout(timer))
  }

  const isReady = (): boolean =>
    !refused && !socket.destroyed && inFlight < maxInFlight && !socket.writableNeedDrain

  const nextLine = (): string | undefined => (isReady() ? lines.next() : undefined)

  const takeRequests = (): void => {
    if (refused) return
    try {
      for (let line = nextLine(); line !== undefined; line = nextLine()) {
        const { id, op, params } = parseRequest(line)
        inFlight++
        void answerTo(id, op, params).then((answer) => {
          inFlight--
          if (socket.writable) socket.write(answer)
          takeRequests()
        })
      }
    } catch (error) {
      refuse(error)
      return
    }
    if (isReady()) socket.resume()
    else socket.pause()
  }

  socket.on('data', (chunk: Buffer) => {
    if (refused) return
    lines.push(chunk)
    takeRequests()
  })
  socket.on('drain', takeRequests)
  // Its 'close' follows, and says all that there is to know.
  socket.on('error', () => {})
  socket.on('close', () => gone.abort())
}

/** Makes room for a socket file: removes one that nobody serves. @throws SystemError when somebody does. */
export async function claimSocketPath(path: string): Promise<void> {
  const file = lstatSync(path, { throwIfNoEntry: false })
  if (!file) return
  if (!file.isSocket()) throw new SystemError('EEXIST', `cannot serve on ${path}: it exists and is no socket`)
  const code = await new Promise<string | undefined>((resolve) => {
    const probe = net.connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(undefined)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EIO'))
  })
  if (code === 'ECONNREFUSED') unlinkSync(path)
  else if (code === undefined) {
    throw new SystemError(
      'EADDRINUSE',
      `cannot serve on ${path}: another process serves there (is the hub running already?)`,
    )
  } else if (code !== 'ENOENT') throw new SystemError(code, `cannot serve on ${path}: ${code}`)
}

export class RpcServer {
  readonly #server: net.Server
  readonly #path: string
  readonly #connections = new Set<net.Socket>()

  constructor(server: net.Server, handlers: RpcHandlers, options: RpcOptions, path: string) {
    this.#server = server
    this.#path = path
    server.maxConnections = options.maxConnections ?? 64
    server.on('connection', (socket) => {
      this.#connections.add(socket)
      socket.on('close', () => this.#connections.delete(socket))
      serveRpcConnection(socket, handlers, options)
    })
  }

  /** Ends all connections and removes the socket file. */
  async close(): Promise<void> {
    // Before the server ends: afterwards the file may be a successor's.
    rmSync(this.#path, { force: true })
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#connections) socket.destroy()
    await closed
  }
}

/**
 * Binds a path that `claimSocketPath` has freed; when the file is there, connections succeed. No connection is accepted before the promise's first `await`er has
 * run on to its next system event, so that ownership and privileges can be settled in between.
 */
export async function listenRpc(
  path: string,
  handlers: RpcHandlers,
  options: RpcOptions = {},
): Promise<RpcServer> {
  const server = net.createServer()
  const rpc = new RpcServer(server, handlers, options, path)
  await listenOn(server, path, options.mode)
  return rpc
}

/** Lets a server listen on a path that is free; its file is there, with its mode, when connections succeed. */
export async function listenOn(server: net.Server, path: string, mode = 0o600): Promise<void> {
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new SystemError(error.code ?? 'EIO', `cannot serve on ${path}: ${error.message}`, { cause: error }),
      ),
    )
    // It is made at once. Not chmod afterwards: by then the path might be another file's.
    const mask = process.umask(0o777 & ~mode)
    try {
      server.listen(temporary)
    } finally {
      process.umask(mask)
    }
  })
  renameSync(temporary, path)
}

/** Serves on a path, whose stale socket file is replaced. */
export async function serveRpc(
  path: string,
  handlers: RpcHandlers,
  options: RpcOptions = {},
): Promise<RpcServer> {
  await claimSocketPath(path)
  return await listenRpc(path, handlers, options)
}

/** One call on a connection of its own. @throws as `RpcClient.call` */
export async function callOnce(
  path: string,
  op: string,
  params: RpcParams,
  timeoutMs: number,
): Promise<unknown> {
  const client = new RpcClient(path, { timeoutMs })
  try {
    return await client.call(op, params)
  } finally {
    client.close()
  }
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** Calls a server; connects at the first call, and again after the connection was lost. */
export class RpcClient {
  readonly #path: string
  readonly #timeoutMs: number
  readonly #maxWaiting: number
  readonly #maxAnswer: number
  readonly #waiting = new Map<number, Waiting>()
  #socket: net.Socket | undefined
  #lastId = 0

  /** @param maxAnswer  octets, of a server that may be anybody's */
  constructor(path: string, { timeoutMs = 10_000, maxWaiting = 256, maxAnswer = MAX_ANSWER } = {}) {
    this.#path = path
    this.#timeoutMs = timeoutMs
    this.#maxWaiting = maxWaiting
    this.#maxAnswer = maxAnswer
  }

  /**
   * @throws ProtocolError with the server's code, or `timeout`, `busy` (too many calls wait), `disconnected`
   * @throws SystemError when no connection can be had
   */
  call(op: string, params: RpcParams = {}, timeoutMs = this.#timeoutMs): Promise<unknown> {
    if (this.#waiting.size >= this.#maxWaiting) {
      return Promise.reject(new ProtocolError('busy', `too many calls wait for ${this.#path}`))
    }
    const id = ++this.#lastId
    const line = `${JSON.stringify({ ...params, id, op })}\n`
    if (line.length > MAX_REQUEST)
      return Promise.reject(new ProtocolError('too-long', `request ${op} is too long`))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(id)
        reject(
          new ProtocolError(
            'timeout',
            `no answer to "${op}" from ${this.#path} within ${timeoutMs / 1000} s`,
          ),
        )
      }, timeoutMs)
      this.#waiting.set(id, { resolve, reject, timer })
      const socket = (this.#socket ??= this.#connect())
      socket.ref()
      socket.write(line)
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#lose(new ProtocolError('disconnected', `connection to ${this.#path} closed`))
  }

  #connect(): net.Socket {
    const socket = net.connect(this.#path)
    const lines = new LineBuffer(this.#maxAnswer)
    let reason: Error = new ProtocolError('disconnected', `${this.#path} closed the connection`)
    socket.on('data', (chunk: Buffer) => {
      try {
        lines.push(chunk)
        for (let line = lines.next(); line !== undefined; line = lines.next()) this.#answer(parseObject(line))
      } catch (error) {
        socket.destroy(error instanceof Error ? error : undefined)
      }
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'EIO'
      reason =
        error instanceof ProtocolError
          ? error
          : new SystemError(code, `cannot reach ${this.#path}: ${code}`, { cause: error })
    })
    socket.on('close', () => {
      if (this.#socket === socket) this.#lose(reason)
    })
    return socket
  }

  #answer(answer: Record<string, unknown>): void {
    const { id, ok, result } = answer
    if (ok === true) {
      if (typeof id === 'number') this.#settle(id)?.resolve(result)
      return
    }
    const error = isRecord(answer['error']) ? answer['error'] : {}
    const refusal = new ProtocolError(
      textOr(error['code'], 'malformed'),
      textOr(error['message'], 'malformed answer'),
    )
    if (typeof id !== 'number') throw refusal
    this.#settle(id)?.reject(refusal)
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    clearTimeout(waiting?.timer)
    this.#waiting.delete(id)
    // An idle connection keeps no process alive.
    if (this.#waiting.size === 0) this.#socket?.unref()
    return waiting
  }

  #lose(reason: Error): void {
    this.#socket = undefined
    for (const [id, waiting] of this.#waiting) {
      this.#settle(id)
      waiting.reject(reason)
    }
  }
}
