/** The socket of a bridge's management console. */
import { lchownSync } from 'node:fs'
import { Socket } from 'node:net'
import { dirname } from 'node:path'
import { reasonOf } from '#net/base/errors.ts'
import { groupName, groupNumber, userName, userNumber } from '#hub/base/account-names.ts'
import { processUsers } from '#hub/base/privilege.ts'
import { claimUnixPath, listenUnix, type UnixListener } from '#hub/base/unix-listener.ts'
import type { Say } from '#hub/fabric/attachment.ts'
import type { Bridge } from '#hub/fabric/bridge.ts'
import { BridgeConsole } from '#hub/vde/console/bridge-console.ts'
import { serveConsole } from '#hub/vde/console/connection.ts'
import type { MgmtConfig } from '#hub/vde/console/options.ts'
import { makeParents } from '#hub/vde/directory.ts'

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

  /**
   * To be made while the process has root's rights, if it has: the socket may be where only root can make one. It is
   * given to the user that the process becomes.
   * @throws SystemError when the path cannot be used
   */
  constructor({ bridge, config: { path, mode }, say, now }: ConsoleServerOptions) {
    const users = processUsers()
    makeParents(dirname(path), users)
    claimUnixPath(path)
    this.#console = new BridgeConsole(bridge, {
      pid: process.pid,
      path,
      mode,
      startedAt: now(),
      vde: () => bridge.vde,
      accounts: { userName, userNumber, groupName, groupNumber },
    })
    const options = {
      console: this.#console,
      now,
      onFailure: (error: unknown) => say('warn', `console of ${bridge.name}: ${reasonOf(error)}`),
    }
    this.#listener = listenUnix(path, mode, (fd) => {
      const socket = new Socket({ fd, allowHalfOpen: true, readable: true, writable: true })
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      serveConsole(socket, options)
    })
    if (users) lchownSync(path, users.service.uid, users.service.gid)
    say('info', `console of ${bridge.name}: ${path}`)
  }

  /** To be called about once a second. */
  tick(): void {
    this.#console.tick()
  }

  /** To be called when a port may have changed; looked at when the change is complete. */
  portsChanged(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#console.look()
    })
  }

  /** Ends all sessions and removes the socket. */
  close(): void {
    this.#listener.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
