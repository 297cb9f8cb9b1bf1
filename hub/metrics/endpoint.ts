/**
 * The HTTP server of the metrics: `GET /metrics`, nothing else. It asks nobody who he is, so it gives nobody much of
 * its time: few connections, short requests, an answer that all who ask within a moment share.
 */
import http from 'node:http'
import { CONTENT_TYPE } from '#hub/metrics/exposition.ts'

const MAX_CONNECTIONS = 32
const MAX_HEADER_OCTETS = 8192
/** For a whole request, and for reading the whole answer. */
const TIMEOUT_MS = 5000
const ANSWER_MS = 10_000
/** How long a connection may stand idle between scrapes. */
const KEEP_ALIVE_MS = 5000
/** How old an answer may be. */
const FRESH_MS = 500

/** @param collect  the text of all metrics; what it throws is told as 500 */
export function createEndpoint(
  collect: () => Promise<string>,
  onFailure: (error: unknown) => void,
): http.Server {
  const shared = shareFor(FRESH_MS, collect)
  const server = http.createServer(
    {
      maxHeaderSize: MAX_HEADER_OCTETS,
      headersTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      const deadline = setTimeout(() => request.socket.destroy(), ANSWER_MS)
      response.on('close', () => clearTimeout(deadline))
      void answer(request, response, shared).catch((error: unknown) => {
        onFailure(error)
        if (!response.headersSent) refuse(response, 500, 'internal error, see the log')
      })
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  return server
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  collect: () => Promise<string>,
): Promise<void> {
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const [path] = (request.url ?? '').split('?')
  if (path !== '/metrics') return refuse(response, 404, 'not here; metrics are at /metrics')
  if (!isRead) return refuse(response, 405, 'only GET and HEAD', { allow: 'GET, HEAD' })
  const body = Buffer.from(await collect())
  response.writeHead(200, { 'content-type': CONTENT_TYPE, 'content-length': body.length })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** Ends the connection too, as a body that was sent along is not read. */
function refuse(response: http.ServerResponse, status: number, why: string, headers: object = {}): void {
  response.writeHead(status, { ...headers, 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
  response.end(`${why}\n`)
}

/** Calls a function once for all who ask within `ms`. */
function shareFor(ms: number, collect: () => Promise<string>): () => Promise<string> {
  let last: Promise<string> | undefined
  let since = 0
  return () => {
    const now = performance.now()
    if (last === undefined || now - since >= ms) {
      since = now
      last = collect()
    }
    return last
  }
}
