/** Any free TCP port of an address, for `--ssh ADDRESS:0`. */
import * as libc from '#net/port/libc.ts'
import { u16 } from '#net/wire/octets.ts'
import { bindTcp } from '#hub/gateway/listen.ts'

/** The port is free when this returns; who comes first has it. */
export function freePort(address: string): number {
  const fd = bindTcp(address, 0, { shared: true, backlog: 0 })
  const name = new Uint8Array(28)
  const length = libc.intOctets(name.length)
  const failed = libc.getsockname(fd, name, length) < 0
  libc.close(fd)
  if (failed) throw libc.systemError(`cannot find a free port of ${address}`)
  return u16(name, 2)
}
