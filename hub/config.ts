/** What `hybridge serve` is told: by its command line, its configuration file, or both. */
import { dirname, isAbsolute, resolve } from 'node:path'
import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { MAX_MTU, MIN_MTU, isMtu } from '#net/port/nic/mtu.ts'
import { parsePortMode } from '#net/switch/port-mode.ts'
import { BRIDGE_OPTIONS, checkBridgeSettings, parseAgeing, PORT_CHECKS } from '#hub/fabric/check-settings.ts'
import { parseYaml } from '#hub/base/yaml-text.ts'
import { DEFAULT_MANAGEMENT_NETWORK, parseManagementNetwork } from '#hub/base/management-network.ts'
import { LOG_LEVELS, type LogLevel } from '#hub/base/log.ts'
import {
  MGMT_OPTIONS,
  type MgmtConfig,
  mgmtConfig,
  type MgmtOptions,
  parseMgmtOptions,
} from '#hub/vde/console/options.ts'
import type { CertificateFiles } from '#hub/supervisor/certificate.ts'
import type { VdeConfig } from '#hub/vde/directory.ts'
import { parseVdeOptions, VDE_OPTIONS, vdeConfig, type VdeOptions } from '#hub/vde/options.ts'

export interface ListenAddress {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
}

interface BridgeConfig {
  readonly name: string
  /** Seconds after which an address that was not seen again is forgotten. */
  readonly ageing: number
  /** Where clients of VDE plug in; undefined: nowhere. */
  readonly vde?: VdeConfig
  /** Where its management console listens; undefined: nowhere. */
  readonly mgmt?: MgmtConfig
  /** What else is set, as `hybridge bridge set` takes it. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A bridge as it is written: where its VDE directory and its console are depends on other settings. */
interface BridgeText extends Omit<BridgeConfig, 'vde' | 'mgmt'> {
  readonly vde?: VdeOptions
  readonly mgmt?: MgmtOptions
}

const ATTACH_KINDS = ['nic', 'tap', 'vde'] as const
export interface AttachConfig {
  readonly bridge: string
  readonly kind: (typeof ATTACH_KINDS)[number]
  /** Name of the interface; for `vde` the directory of a switch, absolute. */
  readonly argument: string
  /** As `parsePortMode` reads it, `mode=access,vlan=10`. */
  readonly mode?: string
  /** Octets. */
  readonly mtu?: number
  /** Others, as `bridge port set` takes them; checked. */
  readonly settings?: Readonly<Record<string, string>>
  /** Wanted number of the VDE switch's port. */
  readonly port?: number
}

export interface WebConfig {
  readonly https: (ListenAddress & CertificateFiles) | undefined
  /** For a reverse proxy on this machine. */
  readonly http: ListenAddress | undefined
  /** Begins with `/`. */
  readonly path: string
}

export interface ServeConfig {
  /** Absolute. */
  readonly data: string
  readonly ssh: ListenAddress
  /** `HOST[:PORT]` where agents reach it, to be shown; undefined: as `ssh` says. */
  readonly publicAddress?: string | undefined
  readonly bridges: readonly BridgeConfig[]
  readonly attach: readonly AttachConfig[]
  readonly gateways: number
  /** Out of which each topology has its management network. */
  readonly managementNetwork: string
  /** Users of the SSH port are told nothing of the ports of bridges. */
  readonly hidePorts: boolean
  /** Where SSH in WebSockets is served; undefined: nowhere. */
  readonly web: WebConfig | undefined
  /** Where Prometheus may ask; undefined: nowhere. */
  readonly metrics: ListenAddress | undefined
  readonly log: LogLevel
}

const DEFAULT_AGEING = '300'
const BRIDGE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,30}$/
/** As the kernel has it (dev_valid_name), and nothing that our syntax uses. */
const INTERFACE_NAME = /^[^\s/:,=]{1,15}$/
/** They have a default place. */
const NEED_NO_VALUE = ['vde', 'mgmt']
const MODE_OPTIONS = ['mode', 'vlan', 'native', 'tagged', 'qnq', 'strict', 'tpid']
/** `ADDR:PORT`, an IPv6 address in brackets. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const [, v6, v4, digits] = match ?? []
  const port = Number(digits)
  const isAddress = v6 === undefined ? v4 !== undefined && isIPv4(v4) : isIPv6(v6)
  if (!isAddress || !(port <= 65_535)) {
    throw new ConfigError(`"${text}" is no ADDRESS:PORT, as 0.0.0.0:2222 or [::]:2222`)
  }
  return { address: v6 ?? v4 ?? '', port }
}

/** `HOST`, `HOST:PORT`, an IPv6 address in brackets. @throws ConfigError */
function parsePublicAddress(text: string): string {
  const [, v6, host = '', port = '1'] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const isHost =
    v6 === undefined ? /^[\p{L}\p{N}._-]{1,253}$/u.test(host) && !host.startsWith('-') : isIPv6(v6)
  if (isHost && Number(port) >= 1 && Number(port) <= 65_535) return text
  throw new ConfigError(`"${text}" is no HOST[:PORT], as hub.example, hub.example:22 or [2001:db8::1]:2222`)
}

/** @throws ConfigError */
function parseWebPath(text: string): string {
  if (/^\/[\w.~/-]{0,200}$/.test(text)) return text
  throw new ConfigError(
    `"${text}" is no path of a URL, as / or /hub: letters, digits, "-", ".", "_", "~", "/"`,
  )
}

/** `NAME[,OPTION=VALUE...]` */
export function parseBridge(text: string): BridgeText {
  const { first: name, options } = splitOptions(text, [
    'ageing',
    ...BRIDGE_OPTIONS,
    ...VDE_OPTIONS,
    ...MGMT_OPTIONS,
  ])
  if (!BRIDGE_NAME.test(name)) {
    throw new ConfigError(
      `"${name}" is no bridge name: 1 to 31 letters, digits, "_", "-" and ".", beginning with a letter or digit`,
    )
  }
  const ageing = named(`bridge ${name}`, () => parseAgeing(options['ageing'] ?? DEFAULT_AGEING))
  const vde = parseVdeOptions(name, options)
  const mgmt = parseMgmtOptions(name, options)
  const settings = Object.fromEntries(Object.entries(options).filter(([key]) => BRIDGE_OPTIONS.includes(key)))
  named(`bridge ${name}`, () => checkBridgeSettings(settings))
  return {
    name,
    ageing,
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(Object.keys(vde).length > 0 && { vde }),
    ...(mgmt && { mgmt }),
  }
}

/** `BRIDGE=KIND:ARG[,OPTION=VALUE...]` */
export function parseAttach(text: string): AttachConfig {
  const { first, options } = splitOptions(text, [...MODE_OPTIONS, ...Object.keys(PORT_CHECKS), 'mtu', 'port'])
  const match = /^([^=:]+)=([^=:]+):(.+)$/.exec(first)
  const [, bridge, kindText, argument] = match ?? []
  if (bridge === undefined || kindText === undefined || argument === undefined) {
    throw new ConfigError(`"${text}" is no BRIDGE=KIND:ARGUMENT, as private0=nic:eth1`)
  }
  const kind = ATTACH_KINDS.find((known) => known === kindText)
  if (!kind)
    throw new ConfigError(`"${text}": unknown kind "${kindText}"; known are ${ATTACH_KINDS.join(', ')}`)
  checkArgument(text, kind, argument)
  const { mtu, port } = options
  const foreign = kind === 'vde' ? mtu && 'mtu' : port && 'port'
  if (foreign !== undefined) throw new ConfigError(`"${text}": ${foreign} says nothing of ${kind}`)
  const mode = MODE_OPTIONS.filter((name) => options[name] !== undefined)
    .map((name) => `${name}=${options[name]}`)
    .join(',')
  const settings = Object.entries(options).filter(([name]) => Object.hasOwn(PORT_CHECKS, name))
  if (mode !== '') named(`"${text}"`, () => parsePortMode(mode))
  for (const [name, value] of settings) named(`"${text}"`, () => PORT_CHECKS[name]?.(value))
  return {
    bridge,
    kind,
    argument,
    ...(mode !== '' && { mode }),
    ...(mtu !== undefined && { mtu: parseMtu(text, mtu) }),
    ...(port !== undefined && { port: parsePort(text, port) }),
    ...(settings.length > 0 && { settings: Object.fromEntries(settings) }),
  }
}

function checkArgument(text: string, kind: AttachConfig['kind'], argument: string): void {
  if (kind === 'vde') {
    if (isAbsolute(argument)) return
    throw new ConfigError(`"${text}": name the VDE switch's directory from / on, as vde:/tmp/sw`)
  }
  if (!INTERFACE_NAME.test(argument) || argument === '.' || argument === '..')
    throw new ConfigError(`"${text}": "${argument}" is no name of an interface (15 characters at most)`)
}

/** What `parse` finds wrong is told with what it is about. @throws ConfigError */
function named<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new ConfigError(`${what}: ${reasonOf(error)}`, { cause: error })
  }
}

function parseMtu(text: string, mtu: string): number {
  const octets = Number(mtu)
  if (!/^\d+$/.test(mtu) || !isMtu(octets)) {
    throw new ConfigError(`"${text}": mtu is ${MIN_MTU} to ${MAX_MTU} octets, not "${mtu}"`)
  }
  return octets
}

function parsePort(text: string, port: string): number {
  const number = Number(port)
  if (!/^\d{1,5}$/.test(port) || number < 1 || number > 65_535)
    throw new ConfigError(`"${text}": port is the number of the VDE switch's port, 1 to 65535, not "${port}"`)
  return number
}

function splitOptions(
  text: string,
  known: readonly string[],
): { first: string; options: Record<string, string> } {
  const [first = '', ...parts] = text.split(',')
  const options: Record<string, string> = {}
  for (const part of parts) {
    const [key = '', ...value] = part.split('=')
    if (!known.includes(key)) {
      const comma = part.includes('=') ? '' : ' (a name or path may hold no comma)'
      throw new ConfigError(`"${text}": unknown option "${key}"; known are ${known.join(', ')}${comma}`)
    }
    if (key in options) throw new ConfigError(`"${text}": ${key} is given twice`)
    if (value.length === 0 && !NEED_NO_VALUE.includes(key))
      throw new ConfigError(`"${text}": ${key} needs a value`)
    options[key] = value.join('=')
  }
  return { first, options }
}

/** A text that `parse` understands; its ConfigError is the issue. */
const textOf = <T>(parse: (text: string) => T) =>
  z.string().transform((text, context): T => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue(reasonOf(error))
      return z.NEVER
    }
  })

/** The configuration file; everything may be absent. */
export const ConfigFile = z.strictObject({
  data: z.string().min(1).optional().describe('Data directory, relative to this file'),
  ssh: textOf(parseListenAddress).optional().describe('ADDRESS:PORT of the SSH server, default 0.0.0.0:2222'),
  'public-address': textOf(parsePublicAddress)
    .optional()
    .describe('HOST[:PORT] where agents reach it, for commands that are shown'),
  bridges: z
    .array(textOf(parseBridge))
    .default([])
    .describe('NAME[,OPTION=VALUE...]: ageing, rstp, loop-protection, vde, mgmt, ...'),
  vde: z
    .string()
    .min(1)
    .optional()
    .describe('Directory with a VDE directory for each bridge, relative to this file'),
  attach: z.array(textOf(parseAttach)).default([]).describe('BRIDGE=KIND:ARGUMENT[,OPTION=VALUE...]'),
  https: textOf(parseListenAddress)
    .optional()
    .describe('ADDRESS:PORT where agents come through HTTPS (wss://), default nowhere'),
  cert: z.string().min(1).optional().describe('PEM file of its certificate, relative to this file'),
  key: z.string().min(1).optional().describe('PEM file of its private key, relative to this file'),
  http: textOf(parseListenAddress)
    .optional()
    .describe('ADDRESS:PORT of this machine where a reverse proxy passes wss:// on, default nowhere'),
  'https-path': textOf(parseWebPath).optional().describe('Path of the WebSocket, default /'),
  gateways: z.int().min(1).max(64).optional().describe('SSH server processes, default 2'),
  'management-network': textOf(parseManagementNetwork)
    .optional()
    .describe('NETWORK/LENGTH that management networks of topologies are taken from, default 10.255.0.0/16'),
  'hide-ports': z.boolean().optional().describe('Tell users nothing of the ports of bridges, default false'),
  metrics: textOf(parseListenAddress)
    .optional()
    .describe('ADDRESS:PORT where Prometheus may ask, default nowhere'),
  log: z.enum(LOG_LEVELS).optional().describe('Least level that is logged, default info'),
})
export type ConfigFile = z.infer<typeof ConfigFile>

/** Reads the text of a configuration file (YAML 1.2). @throws ConfigError with a line for each fault */
export function parseConfigFile(text: string, file: string): ConfigFile {
  const data = parseYaml(text, file, ConfigFile)
  const { data: directory, vde, cert, key } = data
  const paths = { data: directory, vde, cert, key }
  const given = Object.entries(paths).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    ...data,
    ...Object.fromEntries(given.map(([name, path]) => [name, resolve(dirname(file), path)])),
  }
}

/** What the command line says, as text. */
export interface ServeArguments {
  readonly data?: string | undefined
  readonly ssh?: string | undefined
  readonly publicAddress?: string | undefined
  readonly bridge?: readonly string[] | undefined
  readonly attach?: readonly string[] | undefined
  readonly vde?: string | undefined
  readonly https?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly http?: string | undefined
  readonly httpsPath?: string | undefined
  readonly gateways?: number | undefined
  readonly managementNetwork?: string | undefined
  readonly hidePorts?: boolean | undefined
  readonly metrics?: string | undefined
  readonly log?: LogLevel | undefined
}

/**
 * One configuration of command line, file and defaults, in this order; bridges and attached ports of both are taken
 * together, and a bridge of the command line replaces one of the same name.
 */
export function mergeConfig(
  args: ServeArguments,
  file: ConfigFile | undefined,
  defaultData: string,
): ServeConfig {
  const bridges = new Map<string, BridgeText>()
  for (const source of [file?.bridges ?? [], (args.bridge ?? []).map(parseBridge)]) {
    const seen = new Set<string>()
    for (const bridge of source) {
      if (seen.has(bridge.name)) throw new ConfigError(`bridge ${bridge.name} is named twice`)
      seen.add(bridge.name)
      bridges.set(bridge.name, bridge)
    }
  }
  const attach = [...(file?.attach ?? []), ...(args.attach ?? []).map(parseAttach)]
  const taken = new Map<string, string>()
  for (const { bridge, kind, argument } of attach) {
    if (!bridges.has(bridge)) {
      throw new ConfigError(
        `cannot attach ${kind}:${argument} to ${bridge}: no such bridge (add --bridge ${bridge})`,
      )
    }
    const other = taken.get(argument)
    if (other !== undefined)
      throw new ConfigError(`${argument} is attached twice, to ${other} and to ${bridge}`)
    taken.set(argument, bridge)
  }
  const gateways = args.gateways ?? file?.gateways ?? 2
  if (!Number.isInteger(gateways) || gateways < 1 || gateways > 64) {
    throw new ConfigError('--gateways is a number from 1 to 64')
  }
  const data = resolve(args.data ?? file?.data ?? defaultData)
  const commonVde = args.vde ?? file?.vde
  return {
    data,
    ssh:
      args.ssh === undefined
        ? (file?.ssh ?? { address: '0.0.0.0', port: 2222 })
        : parseListenAddress(args.ssh),
    publicAddress:
      args.publicAddress === undefined ? file?.['public-address'] : parsePublicAddress(args.publicAddress),
    bridges: withPaths([...bridges.values()], commonVde, data),
    attach,
    gateways,
    managementNetwork:
      args.managementNetwork === undefined
        ? (file?.['management-network'] ?? DEFAULT_MANAGEMENT_NETWORK)
        : parseManagementNetwork(args.managementNetwork),
    hidePorts: args.hidePorts ?? file?.['hide-ports'] ?? false,
    web: mergeWeb(args, file),
    metrics: args.metrics === undefined ? file?.metrics : parseListenAddress(args.metrics),
    log: args.log ?? file?.log ?? 'info',
  }
}

/** @throws ConfigError */
function mergeWeb(args: ServeArguments, file: ConfigFile | undefined): WebConfig | undefined {
  const https = args.https === undefined ? file?.https : parseListenAddress(args.https)
  const http = args.http === undefined ? file?.http : parseListenAddress(args.http)
  const cert = args.cert === undefined ? file?.cert : resolve(args.cert)
  const key = args.key === undefined ? file?.key : resolve(args.key)
  const path = parseWebPath(args.httpsPath ?? file?.['https-path'] ?? '/')
  if (http && !isLoopback(http.address))
    throw new ConfigError(
      `--http ${http.address}: a reverse proxy connects to 127.0.0.1 or [::1]; for everybody else there is --https`,
    )
  if (https === undefined) {
    if (cert !== undefined || key !== undefined) throw new ConfigError('--cert and --key go with --https')
    return http && { https: undefined, http, path }
  }
  if (cert === undefined || key === undefined)
    throw new ConfigError('--https needs --cert FILE and --key FILE, a certificate and its private key (PEM)')
  return { https: { ...https, cert, key }, http, path }
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1'

/** @throws ConfigError when two paths are the same */
function withPaths(bridges: readonly BridgeText[], common: string | undefined, data: string): BridgeConfig[] {
  const taken = new Map<string, string>()
  const take = (path: string | undefined, bridge: string): void => {
    if (path === undefined) return
    const other = taken.get(path)
    if (other !== undefined) throw new ConfigError(`${path} is given twice, to ${other} and to ${bridge}`)
    taken.set(path, bridge)
  }
  return bridges.map(({ vde: directory, mgmt: socket, ...bridge }) => {
    const vde = vdeConfig(bridge.name, directory ?? {}, common, data)
    const mgmt = socket && mgmtConfig(bridge.name, socket, data)
    take(vde?.directory, bridge.name)
    take(mgmt?.path, bridge.name)
    return { ...bridge, ...(vde && { vde }), ...(mgmt && { mgmt }) }
  })
}
