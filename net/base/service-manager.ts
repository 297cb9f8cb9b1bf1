/**
 * What a service tells the manager that started it: datagrams on the unix socket of $NOTIFY_SOCKET, sd_notify(3).
 * Without one, or when it does not take them, nothing is said.
 */
import * as libc from '#net/port/libc.ts'
import { LONGEST_UNIX_PATH, SUN_PATH, unixAddress } from '#net/port/unix-address.ts'

/** For people, in one line. */
const LONGEST_STATUS = 512
const ABSTRACT = 0x40 // @

export class ServiceManager {
  /** Milliseconds between two signs of life that it waits for; undefined: it waits for none. */
  readonly watchdogMs: number | undefined
  readonly #address: Uint8Array | undefined

  constructor(env: NodeJS.ProcessEnv, pid = process.pid) {
    this.#address = notifyAddress(env['NOTIFY_SOCKET'])
    this.watchdogMs = this.#address && watchdogOf(env, pid)
  }

  ready(): void {
    this.#say('READY=1')
  }

  /** The configuration is read anew; `ready` ends that. */
  reloading(): void {
    const microseconds = process.hrtime.bigint() / 1000n
    this.#say(`RELOADING=1\nMONOTONIC_USEC=${microseconds}`)
  }

  stopping(): void {
    this.#say('STOPPING=1')
  }

  /** What the service does now, for people. */
  status(text: string): void {
    this.#say(`STATUS=${text.replaceAll(/\s+/g, ' ').slice(0, LONGEST_STATUS)}`)
  }

  alive(): void {
    this.#say('WATCHDOG=1')
  }

  #say(text: string): void {
    const address = this.#address
    if (address === undefined) return
    // A socket for each, as the manager may make its own anew.
    const fd = libc.socket(libc.AF_UNIX, libc.SOCK_DGRAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0)
    if (fd < 0) return
    const octets = new TextEncoder().encode(text)
    if (libc.connect(fd, address, address.length) === 0)
      libc.sendBuffer(fd, octets, octets.length, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL)
    libc.close(fd)
  }
}

/** A path, or `@NAME` in the abstract namespace, whose length counts: unix(7). */
export function notifyAddress(text: string | undefined): Uint8Array | undefined {
  if (text === undefined || !/^[/@]./.test(text) || Buffer.byteLength(text) > LONGEST_UNIX_PATH)
    return undefined
  const address = unixAddress(text)
  if (address[SUN_PATH] !== ABSTRACT) return address
  address[SUN_PATH] = 0
  return address.subarray(0, SUN_PATH + Buffer.byteLength(text))
}

function watchdogOf(env: NodeJS.ProcessEnv, pid: number): number | undefined {
  const microseconds = Number(env['WATCHDOG_USEC'])
  const isOurs = !env['WATCHDOG_PID'] || env['WATCHDOG_PID'] === String(pid)
  return isOurs && microseconds > 0 ? microseconds / 1000 : undefined
}
