/** TCP ports of this machine that some program listens on, so that consoles are not promised there: proc_net_tcp(5). */
import { readFileSync } from 'node:fs'

/** TCP_LISTEN, net/tcp_states.h */
const LISTEN = '0A'

export function listeningPorts(): Set<number> {
  return new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => portsOf(textOf(file))))
}

/** `  0: 0100007F:1389 00000000:0000 0A ...` */
export const portsOf = (table: string): number[] =>
  [...table.matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /gm)].flatMap(
    ([, port = '', state]) => (state === LISTEN ? [Number.parseInt(port, 16)] : []),
  )

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return '' // without IPv6, or without /proc: the port is tried again later
  }
}
