/** Servers on the loopback interface, and what they leave open. */
import { readdirSync } from 'node:fs'
import type { Server } from 'node:net'

/** @returns the port */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}

/** Sockets of this process. */
export const descriptors = (): number => readdirSync('/proc/self/fd').length
