/** The certificate of `--https`: read and checked by the supervisor, and read again when its files change. */
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { readFileSync, statSync, unwatchFile, watchFile } from 'node:fs'
import { ConfigError, fileReasonOf, reasonOf } from '#net/base/errors.ts'
import type { Logger } from '#hub/base/log.ts'
import type { Certificate } from '#hub/gateway/web-door.ts'

/** Absolute paths of PEM files. */
export interface CertificateFiles {
  /** The certificate, then those of the authorities between. */
  readonly cert: string
  readonly key: string
}

const LOOK_EVERY_MS = 2000
/** The two files are not written at once. */
const SETTLE_MS = 1000
const MAX_FILE = 1 << 19
const SOON_MS = 14 * 86_400_000

/** @throws ConfigError for what cannot be served */
export function readCertificate(files: CertificateFiles): Certificate {
  const cert = readPem(files.cert, '--cert')
  const key = readPem(files.key, '--key')
  if ((statSync(files.key).mode & 0o007) !== 0)
    throw new ConfigError(
      `--key ${files.key} can be read by others (chmod o= it, and replace it if it was seen)`,
    )
  let certificate
  try {
    certificate = new X509Certificate(cert)
  } catch (error) {
    throw new ConfigError(`--cert ${files.cert} is no certificate in PEM: ${reasonOf(error)}`, {
      cause: error,
    })
  }
  let privateKey
  try {
    privateKey = createPrivateKey(key)
  } catch (error) {
    throw new ConfigError(
      `--key ${files.key} is no private key in PEM without a passphrase: ${reasonOf(error)}`,
      {
        cause: error,
      },
    )
  }
  if (!certificate.checkPrivateKey(privateKey))
    throw new ConfigError(`--key ${files.key} is not the key of --cert ${files.cert}`)
  return { cert, key }
}

function readPem(file: string, option: string): string {
  try {
    if (statSync(file).size > MAX_FILE) throw new RangeError(`larger than ${MAX_FILE} octets`)
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`cannot read ${option} ${file}: ${fileReasonOf(error)}`, { cause: error })
  }
}

/** Tells the fingerprint, and warns of an end that is near. */
export function announceCertificate({ cert }: Certificate, log: Logger, now = Date.now()): void {
  const { fingerprint256, validTo } = new X509Certificate(cert)
  log.info(`certificate SHA256:${fingerprint256}, until ${validTo}`)
  const left = Date.parse(validTo) - now
  if (left < 0)
    log.warn(`the certificate has expired (${validTo}): only agents that pin its fingerprint connect`)
  else if (left < SOON_MS) log.warn(`the certificate expires soon: ${validTo}`)
}

/**
 * Calls `onChange` with what is in the files when they have changed and fit together; tells what is wrong with them
 * otherwise.
 * @returns ends it
 */
export function followCertificate(
  files: CertificateFiles,
  onChange: (certificate: Certificate) => void,
  onProblem: (error: unknown) => void,
): () => void {
  let timer: NodeJS.Timeout | undefined
  const read = (): void => {
    try {
      onChange(readCertificate(files))
    } catch (error) {
      onProblem(error)
    }
  }
  const onFile = (): void => {
    clearTimeout(timer)
    timer = setTimeout(read, SETTLE_MS)
  }
  const paths = [files.cert, files.key]
  for (const path of paths) watchFile(path, { interval: LOOK_EVERY_MS, persistent: false }, onFile)
  return () => {
    clearTimeout(timer)
    for (const path of paths) unwatchFile(path, onFile)
  }
}
