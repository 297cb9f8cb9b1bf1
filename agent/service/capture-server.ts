/**
 * Gives the capture rings of this process's links on a socket of its own, as net/capture/capture-client.ts asks: one
 * JSON line, `{"link":"lab1","once":false}`, is answered by one, and the capture follows.
 */
import net from 'node:net'
import { rmSync } from 'node:fs'

import type { LanRing } from '#agent/service/lan-ring.ts'
import { listenOn } from '#net/base/rpc.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'

const MAX_CONNECTIONS = 8
const MAX_READERS = 4
const LONGEST_REQUEST = 1024
const TIMEOUT_MS = 5000

/** @param ringOf  the ring of a link; undefined: it keeps none @returns what ends it */
export async function serveCaptures(
  path: string,
  ringOf: (link: string) => LanRing | undefined,
): Promise<() => void> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}) // 'close' follows
    readRequest(socket, (request) => answer(socket, request, ringOf))
  })
  server.maxConnections = MAX_CONNECTIONS
  await listenOn(server, path)
  return () => {
    rmSync(path, { force: true })
    server.close()
  }
}

/** A peer that sends none in time, or anything behind it, is let go; so is one that only looks whether we are here. */
function readRequest(socket: net.Socket, onRequest: (request: Record<string, unknown>) => void): void {
  let line = ''
  const leave = (): unknown => socket.destroy()
  const timer = setTimeout(leave, TIMEOUT_MS)
  const read = (chunk: Buffer): void => {
    line += chunk.toString()
    if (line.length <= LONGEST_REQUEST && !line.includes('\n')) return
    clearTimeout(timer)
    socket.off('data', read).off('end', leave)
    const request = line.endsWith('\n') ? parse(line) : undefined
    if (request === undefined) socket.destroy()
    else onRequest(request)
  }
  socket.on('data', read)
  socket.on('end', leave)
  socket.on('close', () => clearTimeout(timer))
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function answer(
  socket: net.Socket,
  request: Record<string, unknown>,
  ringOf: (link: string) => LanRing | undefined,
): void {
  const ring = ringOf(textOr(request['link'], ''))
  const refuse = (code: string, message: string): unknown =>
    socket.end(`${JSON.stringify({ ok: false, code, message })}\n`)
  if (ring === undefined) return void refuse('no-ring', 'the link keeps no capture ring now')
  if (ring.readerCount >= MAX_READERS)
    return void refuse('too-many-captures', `${MAX_READERS} read this ring already (end one)`)
  socket.write('{"ok":true}\n')
  // Anything more that it says means nothing; its end does.
  socket.resume()
  ring.serve(socket, request['once'] === true)
}
