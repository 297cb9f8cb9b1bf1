/** Where agents reach the hub's SSH port, to be shown to people. */
import dgram from 'node:dgram'
import { isIPv6 } from 'node:net'
import { hostname } from 'node:os'
import type { ListenAddress } from '#hub/config.ts'

/** Documentation addresses (RFC 5737, RFC 3849): the way to them is the default route. */
const FAR = { udp4: '192.0.2.1', udp6: '2001:db8::1' } as const

/**
 * `HOST:PORT`. A hub that listens on all addresses has that of the default route, else the machine's name.
 * @param known  `HOST` or `HOST:PORT` that the operator gave; undefined: none
 */
export async function hubAddress(ssh: ListenAddress, known: string | undefined): Promise<string> {
  if (known !== undefined) return /^(?:[^:[\]]+|\[[^\]]*\]):\d+$/.test(known) ? known : `${known}:${ssh.port}`
  const host = await hostOf(ssh.address)
  return `${isIPv6(host) ? `[${host}]` : host}:${ssh.port}`
}

async function hostOf(address: string): Promise<string> {
  if (address !== '0.0.0.0' && address !== '::') return address
  return (await sourceOf('udp4')) ?? (address === '::' ? await sourceOf('udp6') : undefined) ?? hostname()
}

/** Address of this machine on the way to the rest of the world; nothing is sent. Undefined: there is none. */
function sourceOf(type: 'udp4' | 'udp6'): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = dgram.createSocket(type)
    const done = (address: string | undefined): void => {
      socket.close()
      resolve(address)
    }
    socket.once('error', () => done(undefined))
    socket.connect(9, FAR[type], (error?: Error) => done(error ? undefined : socket.address().address))
  })
}
