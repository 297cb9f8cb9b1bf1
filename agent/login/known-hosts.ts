/**
 * known_hosts as OpenSSH keeps it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): parsing, matching, and the verdict about a
 * hub's key. Pure: the files themselves are `known-hosts-file.ts`.
 *
 *     [@marker] names keytype base64-key [comment]
 *
 * Names are patterns (`*`, `?`, `!` in front negates) joined by commas, or one `|1|salt|hash`.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto'

/** One key of one line. */
export interface KnownHost {
  readonly file: string
  readonly line: number
  readonly names: string
  readonly keyType: string
  /** SSH wire form of the public key. */
  readonly key: Buffer
  readonly revoked: boolean
}

export interface KnownHosts {
  readonly entries: readonly KnownHost[]
  /** `file:line: reason` of lines that were skipped. */
  readonly problems: readonly string[]
}

export type Verdict =
  | { readonly kind: 'match' }
  | { readonly kind: 'unknown' }
  /** `entry` is the line that disagrees. */
  | { readonly kind: 'changed'; readonly entry: KnownHost }
  | { readonly kind: 'revoked'; readonly entry: KnownHost }

const MAX_LINE = 65536
const DEFAULT_PORT = 22

/** Parses the text of one file; a line that cannot be read is reported and skipped, as ssh does. */
export function parseKnownHosts(text: string, file: string): KnownHosts {
  const entries: KnownHost[] = []
  const problems: string[] = []
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) return
    const parsed = raw.length > MAX_LINE ? 'line too long' : parseLine(line, file, index + 1)
    if (typeof parsed === 'string') problems.push(`${file}:${index + 1}: ${parsed}`)
    else if (parsed !== undefined) entries.push(parsed)
  })
  return { entries, problems }
}

/** @returns undefined for a line that is right but says nothing about plain keys; a string says what is wrong. */
function parseLine(line: string, file: string, number: number): KnownHost | string | undefined {
  const fields = line.split(/[ \t]+/)
  const marker = line.startsWith('@') ? fields.shift() : undefined
  if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') {
    return `unknown marker ${marker}`
  }
  const [names, keyType, encoded] = fields
  if (names === undefined || keyType === undefined || encoded === undefined) {
    return 'expected: names, key type, key'
  }
  if (names.startsWith('|') && parseHashed(names) === undefined) return 'malformed hashed name'
  const key = Buffer.from(encoded, 'base64')
  if (typeOfKey(key) !== keyType) return `the key is not of type ${keyType}`
  if (marker === '@cert-authority') return undefined
  return { file, line: number, names, keyType, key, revoked: marker === '@revoked' }
}

/** Type name in front of a public key in SSH wire form (RFC 4253 §6.6), '' when there is none. */
export function typeOfKey(key: Buffer): string {
  if (key.length < 4) return ''
  const length = key.readUInt32BE(0)
  return length > 64 || 4 + length >= key.length ? '' : key.toString('latin1', 4, 4 + length)
}

/** `SHA256:...`, as `ssh-keygen -l` prints it. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`

/** The name that known_hosts has for a host and port: `[host]:port` when the port is not ssh's own. */
export const hostName = (host: string, port: number): string =>
  port === DEFAULT_PORT ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`

/** Judges `key`; like ssh, a name with a port that is not known falls back to the name without one. */
export function checkKey(known: KnownHosts, host: string, port: number, key: Buffer): Verdict {
  const verdict = checkName(known, hostName(host, port), key)
  if (verdict.kind !== 'unknown' || port === DEFAULT_PORT) return verdict
  const plain = checkName(known, hostName(host, DEFAULT_PORT), key)
  return plain.kind === 'changed' ? verdict : plain
}

function checkName(known: KnownHosts, name: string, key: Buffer): Verdict {
  let verdict: Verdict = { kind: 'unknown' }
  for (const entry of known.entries) {
    if (!matchesNames(entry.names, name)) continue
    const same = entry.key.equals(key)
    if (entry.revoked) {
      if (same) return { kind: 'revoked', entry }
    } else if (same) {
      verdict = { kind: 'match' }
    } else if (verdict.kind === 'unknown') {
      verdict = { kind: 'changed', entry }
    }
  }
  return verdict
}

/** Key types known for the host, in the order of the file; the client asks for these first. */
export function knownKeyTypes(known: KnownHosts, host: string, port: number): string[] {
  const types = (name: string): string[] =>
    known.entries
      .filter((entry) => !entry.revoked && matchesNames(entry.names, name))
      .map((entry) => entry.keyType)
  const exact = types(hostName(host, port))
  return [...new Set(exact.length > 0 ? exact : types(hostName(host, DEFAULT_PORT)))]
}

/** Whether the names field of a line covers `name`: some pattern does, and no negated one. */
export function matchesNames(names: string, name: string): boolean {
  if (names.startsWith('|')) {
    const hashed = parseHashed(names)
    return hashed !== undefined && hmac(hashed.salt, name).equals(hashed.hash)
  }
  let matched = false
  for (const pattern of names.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!')
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue
    if (negated) return false
    matched = true
  }
  return matched
}

/** `*` and `?` matching that takes at most pattern x name steps, whatever the pattern. */
function matchesPattern(pattern: string, name: string): boolean {
  let p = 0
  let star = -1
  let retry = 0
  for (let n = 0; n < name.length;) {
    if (pattern[p] === '*') {
      star = p++
      retry = n
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++
      n++
    } else if (star >= 0) {
      p = star + 1
      n = ++retry
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

function parseHashed(names: string): { salt: Buffer; hash: Buffer } | undefined {
  const match = /^\|1\|([A-Za-z0-9+/]+=*)\|([A-Za-z0-9+/]+=*)$/.exec(names)
  if (match === null) return undefined
  const salt = Buffer.from(match[1] ?? '', 'base64')
  const hash = Buffer.from(match[2] ?? '', 'base64')
  return salt.length === 20 && hash.length === 20 ? { salt, hash } : undefined
}

const hmac = (salt: Buffer, name: string): Buffer => createHmac('sha1', salt).update(name).digest()

/** `|1|salt|hash` of a name. */
export function hashName(name: string, salt: Buffer = randomBytes(20)): string {
  return `|1|${salt.toString('base64')}|${hmac(salt, name).toString('base64')}`
}

/** The line that remembers a key. */
export const formatEntry = (host: string, port: number, key: Buffer, hashed: boolean): string => {
  const name = hostName(host, port)
  return `${hashed ? hashName(name) : name} ${typeOfKey(key)} ${key.toString('base64')}\n`
}
