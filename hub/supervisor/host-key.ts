/** The hub's SSH host key: made at the first start, Ed25519, readable by its owner alone. */
import { createHash } from 'node:crypto'
import { chownSync, existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import ssh2 from 'ssh2'
import { ConfigError } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import type { Identity } from '#hub/base/privilege.ts'

/** @returns the key's fingerprint, `SHA256:...`. Working directory: the data directory. */
export function ensureHostKey(file: string, owner: Identity | undefined): string {
  if (!existsSync(file)) {
    const privateKey = generateHostKey()
    const temporary = `${file}.${process.pid}`
    writeFileSync(temporary, privateKey, { mode: 0o600, flag: 'wx' })
    if (owner) chownSync(temporary, owner.uid, owner.gid)
    // A link, not a rename: two that start at once get the same key.
    try {
      linkSync(temporary, file)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    } finally {
      rmSync(temporary)
    }
  }
  if ((statSync(file).mode & 0o077) !== 0)
    throw new ConfigError(
      `host key ${file} can be read by others (chmod 600 it, and replace it if it was seen)`,
    )
  const key = ssh2.utils.parseKey(readFileSync(file))
  if (key instanceof Error) throw new ConfigError(`host key ${file}: ${key.message}`)
  return fingerprint(key.getPublicSSH())
}

/**
 * A new Ed25519 key in OpenSSH's format. ssh2 strips zeros that a key begins with, and then cannot read one in some 250
 * of its own keys: those are thrown away.
 */
export function generateHostKey(): string {
  for (;;) {
    const { private: text } = ssh2.utils.generateKeyPairSync('ed25519', { comment: 'hybridge' })
    if (!(ssh2.utils.parseKey(text) instanceof Error)) return text
  }
}

function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}
