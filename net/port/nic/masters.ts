/** Bridges and bonds over an interface: their MTU goes with its own, and the machine's addresses are on them. */
import { masterOf } from '#net/port/nic/hygiene.ts'
import { linkAddresses } from '#net/port/nic/link-addresses.ts'
import { linkIndex } from '#net/port/nic/link.ts'

/** What it is a port of, and what that is a port of, and so on. */
export function mastersOf(name: string): string[] {
  const masters: string[] = []
  let master = masterOf(name)
  while (master !== undefined && !masters.includes(master)) {
    masters.push(master)
    master = masterOf(master)
  }
  return masters
}

/** Whether the machine has an address there. @throws SystemError */
export const isAddressed = (name: string): boolean => linkAddresses(linkIndex(name)).length > 0
