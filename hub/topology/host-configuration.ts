/** What a host is told by its configuration file: YAML that people write, in the file set of its topology. */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { MAX_MTU, MIN_MTU } from '#net/port/nic/mtu.ts'
import {
  type HostConfiguration,
  type HostRoute,
  type Prefix,
  SERVICES,
} from '#hub/base/host-configuration.ts'
import { readYaml, type YamlFault } from '#hub/base/yaml-text.ts'

/** What resolv.conf(5) takes. */
const MOST_NAMESERVERS = 3
const MOST = 1000
const MAX_RUN = 1 << 16

/** @throws ConfigError */
function parsePrefix(text: string): Prefix {
  const [, address = '', digits = ''] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? []
  const bits = isIPv4(address) ? 32 : isPlainIpv6(address) ? 128 : -1
  if (Number(digits) > bits)
    throw new ConfigError(`"${text}" is no address with a prefix length, as 192.0.2.11/24 or 2001:db8::11/64`)
  return { address, length: Number(digits) }
}

/** @throws ConfigError */
function parseAddress(text: string): string {
  if (isIPv4(text) || isPlainIpv6(text)) return text
  throw new ConfigError(`"${text}" is no address, as 192.0.2.1 or 2001:db8::1`)
}

/** `DESTINATION via GATEWAY [dev INTERFACE]` @throws ConfigError */
function parseRoute(text: string): HostRoute {
  const [, destination = '', gateway = '', name] =
    /^(\S+) +via +(\S+)(?: +dev +(\S+))?$/.exec(text.trim()) ?? []
  if (gateway === '')
    throw new ConfigError(
      `"${text}" is no route, as "198.51.100.0/24 via 192.0.2.1" or "default via fe80::1 dev em1"`,
    )
  const parsed = parseAddress(gateway)
  const isDefault = destination === 'default'
  const all = isIPv4(parsed) ? { address: '0.0.0.0', length: 0 } : { address: '::', length: 0 }
  const to = isDefault ? all : parsePrefix(destination)
  if (isIP(to.address) !== isIP(parsed))
    throw new ConfigError(`"${text}": ${destination} and ${gateway} are of different families`)
  return { destination: to, gateway: parsed, interface: name }
}

/** Without a zone, which is the interface's own. */
const isPlainIpv6 = (text: string): boolean => isIPv6(text) && !text.includes('%')

const textOf = <T>(parse: (text: string) => T) =>
  z.string('expected text').transform((text, context): T => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue(reasonOf(error))
      return z.NEVER
    }
  })

const address = textOf(parseAddress)
const InterfaceFile = z.strictObject({
  addresses: z.array(textOf(parsePrefix)).max(64).default([]),
  gateway: z.union([address.transform((one) => [one]), z.array(address).max(2)]).default([]),
  dhcp: z.boolean().default(false),
  slaac: z.boolean().default(false),
  mtu: z.int().min(MIN_MTU).max(MAX_MTU).optional(),
})
const HostFile = z.strictObject({
  interfaces: z.record(z.string(), InterfaceFile.nullable()).default({}),
  routes: z.array(textOf(parseRoute)).max(MOST).default([]),
  nameservers: z.array(address).max(MOST_NAMESERVERS).default([]),
  services: z.array(z.enum(SERVICES)).max(SERVICES.length).default([]),
  run: z.string().max(MAX_RUN).default(''),
})
type HostFile = z.infer<typeof HostFile>

type Refuse = (path: readonly PropertyKey[], message: string) => void

/** @param interfaces  names of those that the device has */
export function readHostConfiguration(
  text: string,
  interfaces: readonly string[],
): { readonly value: HostConfiguration } | { readonly faults: readonly YamlFault[] } {
  const schema = HostFile.superRefine((file, context) => {
    check(file, interfaces, (path, message) => context.addIssue({ code: 'custom', path: [...path], message }))
  }).transform(configurationOf)
  return readYaml(text, schema)
}

const configurationOf = ({ interfaces, ...rest }: HostFile): HostConfiguration => ({
  ...rest,
  interfaces: Object.fromEntries(
    Object.entries(interfaces).map(([name, file]) => {
      const { gateway: gateways, ...one } = file ?? InterfaceFile.parse({})
      return [name, { ...one, gateways }]
    }),
  ),
})

/** What each setting alone does not show. */
function check({ interfaces, routes }: HostFile, known: readonly string[], refuse: Refuse): void {
  for (const [name, file] of Object.entries(interfaces)) {
    const path = ['interfaces', name]
    if (!known.includes(name))
      refuse(path, `the device has no such interface; it has ${known.join(', ') || 'none'}`)
    const gateways = file?.gateway ?? []
    for (const gateway of gateways)
      if (!isOnLink(gateway, file?.addresses ?? []))
        refuse([...path, 'gateway'], `${gateway} is in no network of the interface's addresses`)
    if (gateways.length === 2 && isIP(gateways[0] ?? '') === isIP(gateways[1] ?? ''))
      refuse([...path, 'gateway'], 'two gateways are of different families: IPv4 and IPv6')
  }
  const all = Object.values(interfaces).flatMap((file) => file?.addresses ?? [])
  const learns = Object.values(interfaces).some((file) => file?.dhcp === true || file?.slaac === true)
  for (const [i, route] of routes.entries()) {
    const { gateway, interface: name } = route
    if (name !== undefined && !known.includes(name))
      refuse(['routes', i], `the device has no interface ${name}`)
    else if (name === undefined && isLinkLocal(gateway))
      refuse(['routes', i], `${gateway} may be on any link: say which, as "via ${gateway} dev em1"`)
    else if (name === undefined && !learns && !isOnLink(gateway, all))
      refuse(['routes', i], `${gateway} is in no network of the interfaces' addresses`)
  }
}

const isLinkLocal = (gateway: string): boolean => /^fe[89ab]/i.test(gateway)

function isOnLink(gateway: string, prefixes: readonly Prefix[]): boolean {
  if (isLinkLocal(gateway)) return true
  const list = new BlockList()
  const family = isIPv4(gateway) ? 'ipv4' : 'ipv6'
  for (const { address: one, length } of prefixes)
    if (isIP(one) === isIP(gateway)) list.addSubnet(one, length, family)
  return list.check(gateway, family)
}
