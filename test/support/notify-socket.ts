/** The socket of a service manager, of the test's own: what a service says of itself, sd_notify(3). */
import { SystemError } from '#net/base/errors.ts'
import * as libc from '#net/port/libc.ts'
import { READABLE, Watcher } from '#net/port/reactor.ts'
import { notifyAddress } from '#net/base/service-manager.ts'
import { until } from '#test/support/process.ts'

export class NotifySocket {
  /** A line each, in the order of their arrival. */
  readonly lines: string[] = []
  readonly #fd: number
  readonly #watcher: Watcher

  /** @param path  of the socket file; `@NAME` in the abstract namespace */
  constructor(path: string) {
    this.#fd = libc.socket(libc.AF_UNIX, libc.SOCK_DGRAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0)
    const address = notifyAddress(path)
    if (address === undefined || libc.bind(this.#fd, address, address.length) !== 0)
      throw new SystemError('EIO', `cannot bind ${path}`)
    const octets = new Uint8Array(4096)
    this.#watcher = new Watcher(this.#fd, () => {
      const count = libc.recvBuffer(this.#fd, octets, octets.length, libc.MSG_DONTWAIT)
      if (count > 0) this.lines.push(...new TextDecoder().decode(octets.subarray(0, count)).split('\n'))
    })
    this.#watcher.watch(READABLE)
  }

  /** The first line that matches, from index `from` on. */
  line(pattern: RegExp, from = 0): Promise<string> {
    return until(
      `a notification ${pattern}`,
      () => this.lines.slice(from).find((line) => pattern.test(line)),
      20_000,
    )
  }

  close(): void {
    this.#watcher.close(() => libc.close(this.#fd))
  }
}
