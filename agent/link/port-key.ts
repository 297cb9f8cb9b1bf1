/** The key under which the hub knows this agent's port, the same after every start: who comes back takes it over. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

import { addressOf } from '#net/port/pcap/host-link.ts'

/** @throws SystemError when the interface is gone */
export const portKey = (nic: string): string => derivePortKey(machineId(), addressOf(nic), nic)

/** The same while the program runs: undefined when no interface has this name, as that of a renamed one. */
export function portKeyNow(nic: string): string | undefined {
  try {
    return portKey(nic)
  } catch {
    return undefined
  }
}

/** A hash, as the machine's id is not to be given away (machine-id(5)). */
export const derivePortKey = (machine: string, address: string, nic: string): string =>
  createHash('sha256').update(`hybridge-port\0${machine}\0${address}\0${nic}`).digest('hex')

function machineId(): string {
  try {
    const id = readFileSync('/etc/machine-id', 'utf8').trim()
    if (id !== '') return id
  } catch {
    // Containers often have none: the name has to do.
  }
  return hostname()
}
