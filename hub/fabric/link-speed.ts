/** What a port's link can do, as far as its kind or the system tells. */
import { readFileSync } from 'node:fs'
import type { Port } from '#net/port/port.ts'

export interface LinkSpeed {
  readonly megabits: number
  readonly isHalfDuplex: boolean
}

/** Of what says nothing: a gigabit; a tunnel crosses a WAN. */
const LAN = 1000
const TUNNEL = 100

export function linkSpeed({ name }: Port): LinkSpeed {
  if (/^(?:tunnel|plug):/.test(name)) return { megabits: TUNNEL, isHalfDuplex: false }
  const nic = /^nic:(.+)$/.exec(name)?.[1]
  const megabits = nic === undefined ? LAN : Number(attribute(nic, 'speed'))
  return {
    megabits: megabits > 0 ? megabits : LAN,
    isHalfDuplex: nic !== undefined && attribute(nic, 'duplex') === 'half',
  }
}

/** Of an interface, as sysfs has it; empty when it does not tell. */
function attribute(nic: string, name: string): string {
  try {
    return readFileSync(`/sys/class/net/${nic}/${name}`, 'latin1').trim()
  } catch {
    return '' // the driver does not know, or the interface is gone
  }
}
