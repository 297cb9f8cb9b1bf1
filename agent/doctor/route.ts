/** Through which interface the hub is reached; it must not be the one to bridge. */
import { type Check, type Finding, failed, ok, warning } from '#agent/doctor/finding.ts'

export interface Way {
  /** Numeric address of the hub. */
  readonly address: string
  /** Of this machine; undefined: there is no route. */
  readonly source: string | undefined
  /** Interfaces that the packets pass. */
  readonly carriers: readonly string[]
  /** Those of them, as a VPN's, whose packets leave in others by a way that is not told. */
  readonly opaque: readonly string[]
}

/** @param nic  the interface to bridge, by its own name */
export function judgeRoute(ways: readonly Way[], nic: string, allowUplink: boolean): Finding {
  const open = ways.filter(({ source }) => source !== undefined)
  const [way] = open
  if (way === undefined)
    return failed(
      `there is no route to ${ways.map(({ address }) => address).join(', ')}`,
      'plug in the interface that leads there, and give it an address or DHCP; ip route shows the routes',
    )
  const text = open
    .map(({ address, source, carriers }) => `${address} through ${carriers.join(', ')} from ${source}`)
    .join('; ')
  const facts = { addresses: open.map(({ address }) => address), carriers: way.carriers, opaque: way.opaque }
  if (open.every(({ carriers }) => carriers.includes(nic))) {
    if (allowUplink) return ok(`${text}: the interface to bridge, as --allow-uplink says`, facts)
    return failed(
      `${text}: that is the interface to bridge`,
      'bridge a second interface (-n NIC), or take --allow-uplink',
      facts,
    )
  }
  if (way.opaque.length > 0)
    return warning(
      `${text}, a VPN whose packets may leave by any interface with a route`,
      `bridge an interface without address and route`,
      facts,
    )
  return ok(text, facts)
}

export const routeCheck: Check = {
  name: 'route',
  title: 'route',
  needs: ['lookup'],
  run: async ({ addresses, nic, args, system }) => {
    const { waysTo, nicFacts } = await system()
    return judgeRoute(waysTo(addresses), nicFacts(nic).name ?? nic, args.allowUplink)
  },
}
