/** The socket of a bridge's management console. */
import { chownSync, mkdirSync } from 'node:fs'
import { Socket } from 'node:net'
import { dirname } from 'node:path'
import { processUsers } from '#hub/base/privilege.ts'
import { claimUnixPath, listenUnix, type UnixListener } from '#hub/base/unix-listener.ts'
import type { Say } from '#hub/fabric/attachment.ts'
import type { Bridge } from '#hub/fabric/bridge.ts'
import { BridgeConsole } from '#hub/vde/console/bridge-console.ts'
import { serveConsole } from '#hub/vde/console/connection.ts'
import * as accounts from '#hub/base/account-names.ts'
import { reasonOf } from '#net/base/errors.ts'

export interface MgmtConfig {
  /** Absolute. */
  readonly path: string
  readonly mode: number
}

export interface ConsoleServerOptions {
  readonly bridge: Bridge
  readonly config: MgmtConfig
  readonly say: Say
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export class ConsoleServer {
  readonly #console: BridgeConsole
  readonly #listener: UnixListener
  readonly #sockets = new Set<Socket>()
  #isScheduled = false

  /** To be made while the process has root's rights, if it has. @throws SystemError when the path cannot be used */
  constructor({ bridge, config, say, now }: ConsoleServerOptions) {
    const { path, mode } = config
    const users = processUsers()
    makeDirectory(dirname(path))
    claimUnixPath(path)
    this.#console = new BridgeConsole(bridge, { pid: process.pid, path, mode, startedAt: now(), accounts })
    this.#listener = listenUnix(path, mode, (fd) => {
      const socket = new Socket({ fd, allowHalfOpen: true, readable: true, writable: true })
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      serveConsole(socket, {
        console: this.#console,
        now,
        onFailure: (error) => say('warn', `console of ${bridge.name}: ${reasonOf(error)}`),
      })
    })
    if (users) chownSync(path, users.service.uid, users.service.gid)
  }
}
