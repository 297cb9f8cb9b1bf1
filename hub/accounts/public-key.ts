/** SSH public keys: the lines of `.pub` files (sshd(8), AUTHORIZED_KEYS) and the octets in them (RFC 4253, 5656, 8709). */
import { createHash } from 'node:crypto'
import { ConfigError } from '#net/base/errors.ts'
import { u8, u32 } from '#net/wire/octets.ts'

export interface PublicKey {
  readonly type: string
  readonly blob: Uint8Array
  readonly comment: string
  /** As `ssh-keygen -l` prints it: `SHA256:` and unpadded base64. */
  readonly fingerprint: string
}

const MIN_RSA_BITS = 2048
const MAX_RSA_BITS = 16_384
const MAX_COMMENT = 256
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Curve and octets of its uncompressed point, by key type. */
const ECDSA: ReadonlyMap<string, readonly [curve: string, point: number]> = new Map([
  ['ecdsa-sha2-nistp256', ['nistp256', 65]],
  ['ecdsa-sha2-nistp384', ['nistp384', 97]],
  ['ecdsa-sha2-nistp521', ['nistp521', 133]],
])

/** The key of a `.pub` file, which holds one; empty lines and those with `#` do not count. */
export function parsePublicKeyFile(text: string, file: string): PublicKey {
  if (text.includes('PRIVATE KEY'))
    throw new ConfigError(`${file}: a private key; give the public one (${file}.pub)`)
  let found: PublicKey | undefined
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const where = `${file}:${index + 1}`
    if (found) throw new ConfigError(`${where}: a second key; one a file`)
    found = parsePublicKey(line, where)
  }
  if (!found) throw new ConfigError(`${file}: no key in it`)
  return found
}

/** One line `TYPE BASE64 [COMMENT]`. @param where  for the messages: file and line */
export function parsePublicKey(line: string, where: string): PublicKey {
  const [type = '', encoded = '', ...comment] = line.trim().split(/\s+/)
  if (!isKnownType(type)) throw new ConfigError(`${where}: ${refusalOf(type, encoded)}`)
  if (!BASE64.test(encoded)) throw new ConfigError(`${where}: no base64 behind ${type}`)
  const blob = new Uint8Array(Buffer.from(encoded, 'base64'))
  const fault = faultOf(type, blob)
  if (fault !== undefined) throw new ConfigError(`${where}: ${fault}`)
  return { type, blob, comment: comment.join(' ').slice(0, MAX_COMMENT), fingerprint: fingerprintOf(blob) }
}

export const fingerprintOf = (blob: Uint8Array): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`

const isKnownType = (type: string): boolean => type === 'ssh-ed25519' || type === 'ssh-rsa' || ECDSA.has(type)

function refusalOf(type: string, next: string): string {
  if (type === 'ssh-dss') return 'DSA keys are too weak; make one with ssh-keygen -t ed25519'
  if (type.startsWith('sk-')) return `${type}: keys of security tokens are not supported`
  if (type.includes('-cert-v01@')) return 'a certificate; give the plain public key'
  if (isKnownType(next) || /[=",]/.test(type))
    return 'options before the key type are not supported; remove them'
  return `unknown key type "${type.slice(0, 40)}"; known are ssh-ed25519, ecdsa-sha2-nistp256/384/521 and ssh-rsa`
}

/** What is wrong with the octets of a key of `type`; undefined when nothing is. */
function faultOf(type: string, blob: Uint8Array): string | undefined {
  const fields = stringsOf(blob)
  if (fields === undefined) return 'the key is cut short or has octets too many'
  const [name, first, second, ...more] = fields
  const inner = name === undefined ? '' : Buffer.from(name).toString('latin1')
  if (inner !== type) return `the line says ${type}, the key in it ${JSON.stringify(inner.slice(0, 40))}`
  if (first === undefined || more.length > 0) return `no ${type} key`
  if (type === 'ssh-ed25519')
    return first.length === 32 && second === undefined ? undefined : 'no ssh-ed25519 key'
  if (second === undefined) return `no ${type} key`
  const ecdsa = ECDSA.get(type)
  if (ecdsa) {
    const [curve, point] = ecdsa
    const fits =
      Buffer.from(first).toString('latin1') === curve && second.length === point && u8(second, 0) === 4
    return fits ? undefined : `no ${type} key`
  }
  const bits = bitLength(second)
  if (bits < MIN_RSA_BITS) return `an RSA key of ${bits} bits; at least ${MIN_RSA_BITS} are needed`
  return bits > MAX_RSA_BITS ? `an RSA key of ${bits} bits; at most ${MAX_RSA_BITS} are taken` : undefined
}

/** The strings that the octets consist of, each behind its length (RFC 4251 section 5). */
function stringsOf(blob: Uint8Array): Uint8Array[] | undefined {
  const strings: Uint8Array[] = []
  let at = 0
  while (at < blob.length) {
    if (blob.length - at < 4) return undefined
    const length = u32(blob, at)
    at += 4
    if (blob.length - at < length) return undefined
    strings.push(blob.subarray(at, at + length))
    at += length
  }
  return strings
}

function bitLength(mpint: Uint8Array): number {
  const first = mpint.findIndex((octet) => octet !== 0)
  return first < 0 ? 0 : (mpint.length - first) * 8 - (Math.clz32(u8(mpint, first)) - 24)
}
