/**
 * hconnect's configuration file, in YAML: settings by the names of the command line's options, and the links of
 * `hconnect run`, each with settings of its own. What stands at the top holds where a link says nothing.
 */
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { z } from 'zod'

import { nearest } from '#agent/nearest.ts'
import { parseProxy } from '#agent/way/proxy-address.ts'
import { ConfigError, fileReasonOf, reasonOf } from '#net/base/errors.ts'
import { MAX_MTU, MIN_MTU } from '#net/port/nic/mtu.ts'
import { MOST_STREAMS } from '#net/port/tunnel/bundle.ts'

const MIN_RING = 1 << 20
const MAX_RING = 512 << 20
const MAX_FILE = 1 << 20
const MAX_LINKS = 64
const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 }
const LINK_NAME = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/

const word = z.string().min(1)

/** Octets of `64M`. @throws ConfigError */
export function parseRing(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,12})([KMG]?)$/i.exec(text) ?? []
  const octets = Number(digits) * (UNITS[unit.toUpperCase()] ?? 0)
  if (digits === '' || octets < MIN_RING || octets > MAX_RING)
    throw new ConfigError(`expected 1M to 512M, not "${text}"`)
  return octets
}

const ring = z.union([z.string(), z.number()], 'expected a size, as 64M').transform((value, context) => {
  try {
    return parseRing(String(value))
  } catch (error) {
    context.addIssue(reasonOf(error))
    return z.NEVER
  }
})

/** As `--map` has it; `10: private0` is `10=private0`. */
const map = z.union([
  z.array(z.string()),
  z
    .record(z.string(), z.string())
    .transform((bridges) => Object.entries(bridges).map(([vlan, bridge]) => `${vlan}=${bridge}`)),
])

const howMany = `expected 1 to ${MOST_STREAMS}, or auto`
const connections = z.union([z.int().min(1, howMany).max(MOST_STREAMS, howMany), z.literal('auto')], howMany)

const settings = {
  nic: word.optional(),
  mtu: z.int().min(MIN_MTU).max(MAX_MTU).optional(),
  hub: word.optional(),
  user: word.optional(),
  bridge: word.optional(),
  map: map.optional(),
  identity: word.optional(),
  jump: word.optional(),
  proxy: word.optional(),
  ca: word.optional(),
  fingerprint: word.optional(),
  'password-file': word.optional(),
  'known-hosts': word.optional(),
  'accept-new': z.boolean().optional(),
  driver: z.enum(['packet', 'pcap']).optional(),
  'allow-uplink': z.boolean().optional(),
  'super-frames': z.boolean().optional(),
  'latency-control': z.boolean().optional(),
  connections: connections.optional(),
  'capture-ring': ring.optional(),
}

const linkName = word.regex(LINK_NAME, 'a name has letters, digits, "_", ".", ":" and "-", 64 at most')
const linkList = z.array(z.strictObject({ name: linkName.optional(), ...settings })).max(MAX_LINKS)
const linkMap = z.record(linkName, z.strictObject(settings).nullable())
/** In one of two forms, each with a schema of its own: so that what is wrong has its place in the file. */
const schemaOf = (links: unknown) =>
  z.strictObject({ ...settings, links: (Array.isArray(links) ? linkList : linkMap).optional() })

const settingsSchema = z.strictObject(settings)
/** By the names in the file. */
type Settings = z.infer<typeof settingsSchema>

export interface ConfigFile extends Settings {
  /** With what stands at the top where they say nothing. */
  readonly links?: readonly LinkSettings[]
}

export interface LinkSettings extends Settings {
  readonly name: string
  readonly nic: string
}

/** Places of the file; the first that exists is read, and no other. */
export function configPaths(env: NodeJS.ProcessEnv, home: string = homedir()): readonly string[] {
  const xdg = env['XDG_CONFIG_HOME']
  const base = xdg !== undefined && xdg.startsWith('/') ? xdg : join(home, '.config')
  return [join(base, 'hybridge/hconnect.yaml'), '/etc/hybridge/hconnect.yaml']
}

/**
 * The file that `--config` names, else the first of the usual ones, else nothing.
 * @throws ConfigError with file, line and column
 */
export function readConfig(file: string | undefined, env: NodeJS.ProcessEnv): ConfigFile {
  if (file === undefined) return readConfigFile(configPaths(env))
  return readOne(file)
}

function readOne(path: string): ConfigFile {
  const config = parseConfigFile(readText(path), path)
  for (const part of [config, ...(config.links ?? [])]) refuseSharedSecret(part, path)
  return config
}

/** @throws ConfigError with file, line and column */
export function readConfigFile(paths: readonly string[]): ConfigFile {
  for (const path of paths) {
    try {
      return readOne(path)
    } catch (error) {
      if (!(error instanceof ConfigError) || !isAbsent(error.cause)) throw error
    }
  }
  return {}
}

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')

function readText(path: string): string {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.length > MAX_FILE) throw new RangeError('it is larger than 1 MiB')
    return text
  } catch (error) {
    throw new ConfigError(`cannot read ${path}: ${fileReasonOf(error)}`, { cause: error })
  }
}

type Path = readonly PropertyKey[]

/** @throws ConfigError, a line for each fault, with file, line, column and the path of the key */
export function parseConfigFile(text: string, path: string): ConfigFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number, reason: string): string => {
    const { line, col } = lines.linePos(offset)
    return `${path}:${line}:${col}: ${reason}`
  }
  const [error] = document.errors
  if (error) throw new ConfigError(at(error.pos[0], error.message))
  const faults: string[] = []
  const fault = (key: Path, reason: string): void => {
    faults.push(at(offsetOf(document, key), `${key.map(String).join('.') || 'the file'}: ${reason}`))
  }
  const value: unknown = document.toJS({ maxAliasCount: 0 }) ?? {}
  const schema = schemaOf(
    typeof value === 'object' && value !== null && 'links' in value ? value.links : undefined,
  )
  const result = schema.safeParse(value)
  if (result.success) {
    const config = withLinks(result.data, fault)
    if (faults.length === 0) return config
  } else for (const issue of result.error.issues) tellIssue(issue, fault)
  throw new ConfigError(faults.join('\n'))
}

function tellIssue(issue: z.core.$ZodIssue, fault: (key: Path, reason: string) => void): void {
  if (issue.code !== 'unrecognized_keys') return fault(issue.path, issue.message)
  const known = Object.keys(settings).concat(issue.path.length === 0 ? 'links' : 'name')
  for (const key of issue.keys) {
    const meant = nearest(key, known)
    const hint = meant === undefined ? `; there are: ${known.join(', ')}` : `; did you mean ${meant}?`
    fault([...issue.path, key], `there is no such setting${hint}`)
  }
}

type Parsed = z.infer<ReturnType<typeof schemaOf>>

/** Gives links what stands at the top, and looks at them as a whole. */
function withLinks({ links, ...defaults }: Parsed, fault: (key: Path, reason: string) => void): ConfigFile {
  if (links === undefined) return defaults
  const parts: [Path, string | undefined, Settings][] = Array.isArray(links)
    ? links.map(({ name, ...own }, i) => [['links', i], name, own])
    : Object.entries(links).map(([name, own]) => [['links', name], name, own ?? {}])
  const names = new Set<string>()
  const nics = new Set<string>()
  return {
    ...defaults,
    links: parts.flatMap(([place, given, own]) => {
      const merged = merge(defaults, own)
      const { nic } = merged
      for (const key of missing(merged))
        fault(place, `${key} is missing, and not at the top of the file either`)
      if (nic === undefined) return []
      const name = given ?? nic
      if (names.has(name)) fault(place, `another link is called ${name} already`)
      if (nics.has(nic)) fault(place, `another link bridges ${nic} already: one link serves an interface`)
      names.add(name)
      nics.add(nic)
      return [{ ...merged, name, nic }]
    }),
  }
}

/** A link's own settings before those at the top. */
function merge(defaults: Settings, own: Settings): Settings {
  const { bridge, map: mapped, ...rest } = defaults
  const hasOwn = own.bridge !== undefined || own.map !== undefined
  return { ...rest, ...(!hasOwn && { bridge, map: mapped }), ...own }
}

function missing(link: Settings): string[] {
  const keys: string[] = (['nic', 'hub'] as const).filter((key) => link[key] === undefined)
  return link.bridge === undefined && link.map === undefined ? [...keys, 'bridge or map'] : keys
}

/** Where a key stands in the text, or the part of its path that is there. */
function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents
  let offset = 0
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part))
      if (!pair || !isScalar(pair.key)) break
      offset = startOf(pair.key) ?? offset
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(part)]
      offset = startOf(node) ?? offset
    } else break
  }
  return offset
}

const startOf = (node: unknown): number | undefined => {
  const { range } = (node ?? {}) as Partial<Node>
  return range?.[0]
}

/** @throws ConfigError when a password is in a file that others can read */
function refuseSharedSecret({ proxy }: Settings, path: string): void {
  if (proxy === undefined || parseProxy(proxy, `proxy in ${path}`)?.password === undefined) return
  if (process.platform === 'win32' || (statSync(path).mode & 0o077) === 0) return
  throw new ConfigError(`${path} has a password in it, and others can read it: chmod 600 ${path}`)
}
