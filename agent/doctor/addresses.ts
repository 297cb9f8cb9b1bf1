/** Whether the machine has an address of its own on the interface, which it should not. */
import { type Check, type Finding, ok, warning } from '#agent/doctor/finding.ts'

/** @param isUplink  it is to carry the tunnel too: then it must have one */
export function judgeAddresses(name: string, addresses: readonly string[], isUplink: boolean): Finding {
  const facts = { addresses }
  if (addresses.length === 0) return ok('none, as it should be', facts)
  if (isUplink) return ok(`${addresses.join(', ')}, as --allow-uplink needs`, facts)
  return warning(
    `${addresses.join(', ')}: this machine itself talks on the bridged LAN`,
    `if it is not needed: ip address flush dev ${name}`,
    facts,
  )
}

export const addressesCheck: Check = {
  name: 'addresses',
  title: 'addresses',
  needs: ['nic'],
  run: async ({ nic, args, system }) => {
    const { name, addresses } = (await system()).surroundings(nic)
    return judgeAddresses(name, addresses, args.allowUplink)
  },
}
