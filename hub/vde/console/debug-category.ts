/** Kinds of events that a session may ask for, `3TAG PATH TEXT`, and what each says. */
import { addressText } from '#net/switch/mac-table.ts'
import { keyVid } from '#net/switch/vlan.ts'

export interface DebugCategory {
  readonly path: string
  /** Printed in octal, three digits. */
  readonly tag: number
  readonly help: string
}

export const HASH_LEARNT: DebugCategory = { path: 'hash/+', tag: 0o011, help: 'an address was learnt' }
export const HASH_FORGOTTEN: DebugCategory = { path: 'hash/-', tag: 0o012, help: 'an address was forgotten' }
export const PORT_UP: DebugCategory = { path: 'port/+', tag: 0o021, help: 'a port is there, or up again' }
export const PORT_DOWN: DebugCategory = { path: 'port/-', tag: 0o022, help: 'a port went down, or away' }
export const PORT_DESCRIPTION: DebugCategory = { path: 'port/descr', tag: 0o023, help: 'what an endpoint is' }
export const ENDPOINT_UP: DebugCategory = {
  path: 'port/ep/+',
  tag: 0o031,
  help: 'an endpoint was plugged in',
}
export const ENDPOINT_DOWN: DebugCategory = {
  path: 'port/ep/-',
  tag: 0o032,
  help: 'an endpoint was unplugged',
}

export const DEBUG_CATEGORIES: readonly DebugCategory[] = [
  HASH_LEARNT,
  HASH_FORGOTTEN,
  PORT_UP,
  PORT_DOWN,
  PORT_DESCRIPTION,
  ENDPOINT_UP,
  ENDPOINT_DOWN,
]

export const tagText = (tag: number): string => tag.toString(8).padStart(3, '0')

export const eventLine = ({ path, tag }: DebugCategory, text: string): string =>
  `3${tagText(tag)} ${path} ${text}\n`

/** So many events were not told. */
export const lostLine = (events: number): string => `3000 debug/lost ${events}\n`

/** @param vlan  VLAN key */
export function addressEvent(high: number, low: number, vlan: number, port: number): string {
  const vid = keyVid(vlan)
  const octets = `${twoHex(vid >> 8)}:${twoHex(vid & 255)}`
  return `${addressText(high, low)} VLAN ${octets} Port ${port}`
}

const twoHex = (n: number): string => n.toString(16).padStart(2, '0')
