/**
 * TLS on a transport. The far side's certificate is checked always: by certificate authorities and name, or, if the user
 * names a fingerprint, by that alone.
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'

import { EXIT_CERTIFICATE, ExitError } from '#agent/exit-codes.ts'
import { type Attempt, type Connection, type Endpoint, nameOf, take } from '#agent/way/way.ts'
import { excerpt } from '#agent/excerpt.ts'
import { ConfigError, fileReasonOf } from '#net/base/errors.ts'

export interface Trust {
  /** Certificates in PEM; undefined: those that Node brings. */
  readonly ca: string | undefined
  /** SHA-256 of the certificate that is wanted, in hexadecimal digits; undefined: any that an authority has signed. */
  readonly fingerprint: string | undefined
}

/** Where systems keep the certificates of authorities; `$SSL_CERT_FILE` comes before them. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/** @throws ConfigError when `file` or `$SSL_CERT_FILE` cannot be read */
export function readAuthorities(file: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  const named = file ?? (env['SSL_CERT_FILE'] || undefined)
  for (const path of named === undefined ? BUNDLES : [named]) {
    try {
      const text = readFileSync(path, 'utf8')
      if (text.includes('-----BEGIN CERTIFICATE-----')) return text
      if (named !== undefined) throw new ConfigError(`there is no certificate in ${path} (PEM is expected)`)
    } catch (error) {
      if (named === undefined) continue
      if (error instanceof ConfigError) throw error
      throw new ConfigError(`cannot read certificates from ${path}: ${fileReasonOf(error)}`, { cause: error })
    }
  }
  return undefined
}

/** `SHA256:` and 64 hexadecimal digits, with colons or without, or the 43 characters of base64. @throws ConfigError */
export function parseFingerprint(text: string): string {
  const digits = text.replace(/^sha-?256[:=]/i, '')
  const hex = digits.replaceAll(':', '').toLowerCase()
  if (/^[0-9a-f]{64}$/.test(hex)) return hex
  if (/^[A-Za-z0-9+/]{43}=?$/.test(digits)) return Buffer.from(digits, 'base64').toString('hex')
  throw new ConfigError(
    `bad fingerprint ${JSON.stringify(text)}: expected SHA256: and 64 hexadecimal digits, or base64`,
  )
}

/** @throws ExitError EXIT_CERTIFICATE, EXIT_UNREACHABLE; the connection is closed then */
export async function secure(
  below: Connection,
  to: Endpoint,
  trust: Trust,
  attempt: Attempt,
): Promise<Connection> {
  const { stream, socket } = below
  const tls = connect({
    socket: stream,
    host: to.host,
    ...(isIP(to.host) === 0 && { servername: to.host }),
    ALPNProtocols: ['http/1.1'],
    ca: trust.ca,
    // The outcome is judged in `refusalOf`, which can show what came.
    rejectUnauthorized: false,
  })
  const transport = { stream: tls, socket }
  await take(transport, attempt, nameOf(to), () => handshake(tls))
  tls.on('error', () => {}) // 'close' follows
  const refusal = refusalOf(tls, to, trust)
  if (refusal === undefined) return { ...below, ...transport }
  tls.destroy()
  socket.destroy()
  throw new ExitError(EXIT_CERTIFICATE, refusal)
}

const handshake = (tls: TLSSocket): Promise<void> =>
  new Promise((resolve, reject) => {
    tls.once('secureConnect', resolve)
    tls.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        /^ERR_SSL|^EPROTO/.test(error.code ?? '')
          ? new Error(`it does not speak TLS, or none that is safe (${error.code})`, { cause: error })
          : error,
      ),
    )
  })

const REASONS: Record<string, string> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: "it is not valid yet (is this machine's clock right?)",
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself, and by no authority that is known here',
  SELF_SIGNED_CERT_IN_CHAIN: 'it is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'it is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'it is signed by an authority that is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'it is signed by an authority that is not known here',
  CERT_REVOKED: 'it is revoked',
}

/** Why the certificate is not trusted, and what to do; undefined when it is. */
function refusalOf(tls: TLSSocket, to: Endpoint, { fingerprint }: Trust): string | undefined {
  const { fingerprint256: print = '', valid_to: until = '', subjectaltname: names = '' } = certificateOf(tls)
  const about = `the certificate of ${nameOf(to)}`
  if (fingerprint !== undefined) {
    if (print.replaceAll(':', '').toLowerCase() === fingerprint) return undefined
    return `${about} has another fingerprint than --fingerprint says: SHA256:${print}; somebody may be listening in`
  }
  if (tls.authorized) return undefined
  const code = String(tls.authorizationError)
  const reason = REASONS[code] ?? code
  const detail =
    code === 'CERT_HAS_EXPIRED'
      ? ` (${until})`
      : code === 'ERR_TLS_CERT_ALTNAME_INVALID'
        ? ` (${excerpt(names.slice(0, 200)) || 'none'})`
        : ''
  const isUnknown = reason.includes('authority')
  return (
    `${about} is not trusted: ${reason}${detail}. If the operator confirms its fingerprint, use ` +
    `--fingerprint SHA256:${print}${isUnknown ? '; for an authority of your own use --ca FILE' : ''}`
  )
}

/** All absent when the far side showed none. */
const certificateOf = (
  tls: TLSSocket,
): { fingerprint256?: string; valid_to?: string; subjectaltname?: string | undefined } =>
  tls.getPeerCertificate()
