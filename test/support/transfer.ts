/** Octets carried from one machine to another by TCP or UDP, proved by their digest. */
import { join } from 'node:path'
import type { Namespace } from '#test/support/netns.ts'

const PROGRAM = join(import.meta.dirname, 'transfer.py')
const PYTHON = ['-I', '-S', PROGRAM]
const TIMEOUT_MS = 60_000

/** `udp-segments`: the kernel gets up to 40 datagrams as one and cuts them as late as it can (UDP_SEGMENT). */
export type TransferKind = 'tcp' | 'udp' | 'udp-segments'

export interface Transfer {
  kind: TransferKind
  from: Namespace
  to: Namespace
  /** Of the receiver. */
  address: string
  octets: number
  /** Octets of a datagram's payload, for `udp-segments`. */
  segment?: number
}

let lastPort = 20_000

/** Resolves when every octet has arrived unaltered. @returns the port that it went to */
export async function transfer(what: Transfer): Promise<number> {
  const { kind, from, to, address, octets, segment = 1400 } = what
  const protocol = kind === 'tcp' ? 'tcp' : 'udp'
  const port = ++lastPort
  const receiver = to.spawn('/usr/bin/python3', [...PYTHON, `${protocol}-receive`, address, String(port)])
  await receiver.line(/^listening/)
  const how = kind === 'tcp' ? [] : [kind === 'udp' ? '0' : String(segment)]
  const sender = [...PYTHON, `${protocol}-send`, address, String(port), String(octets), ...how]
  const sent = await from.run('/usr/bin/python3', sender, { timeoutMs: TIMEOUT_MS })
  const received = await receiver.line(/^\{.*\}/, { deadlineMs: TIMEOUT_MS })
  await receiver.exited
  if (sent.stdout.trim() !== received[0])
    throw new Error(`${kind} to ${address}: sent ${sent.stdout.trim()}, received ${received[0]}`)
  return port
}
