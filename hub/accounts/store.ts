/**
 * Accounts in one SQLite file, which several processes may use at once: a running hub sees what a command adds at the
 * next log-in. Opened by a path relative to the working directory or absolute; every file that SQLite needs is open
 * when `open` returns, so that the process may lose the right to reach the directory.
 */
import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync } from 'node:fs'
import Database from 'libsql'
import { ConfigError, SystemError, reasonOf } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import type { Identity } from '#hub/base/privilege.ts'
import { MIGRATIONS } from '#hub/accounts/migrations.ts'
import type { PublicKey } from '#hub/accounts/public-key.ts'
import { numberIn, textIn } from '#hub/accounts/row.ts'

const BUSY_MS = 5000
const USER_NAME = /^[a-z_][a-z0-9_.-]{0,31}$/

export interface User {
  readonly name: string
  readonly hasPassword: boolean
  readonly keys: number
  readonly created: Date
}

export interface UserKey {
  readonly type: string
  readonly fingerprint: string
  readonly comment: string
  readonly created: Date
}

export function checkUserName(name: string): void {
  if (!USER_NAME.test(name)) {
    throw new ConfigError(
      `"${name}" is no user name: 1 to 32 of a-z, 0-9, "_", "-" and ".", beginning with a letter or "_"`,
    )
  }
}

export class AccountStore {
  readonly #db: Database.Database
  readonly #now: () => number

  private constructor(db: Database.Database, now: () => number) {
    this.#db = db
    this.#now = now
  }

  /**
   * Opens the file and brings its schema up to date; makes it, for `owner`, if there is none.
   * @throws SystemError when it cannot be used, or a newer version wrote it
   */
  static open(path: string, owner?: Identity, now: () => number = Date.now): AccountStore {
    try {
      makePrivate(path, owner)
      const db = new Database(path, { timeout: BUSY_MS })
      db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY')
      db.exec('PRAGMA foreign_keys = ON')
      migrate(db)
      return new AccountStore(db, now)
    } catch (error) {
      const code = errnoOf(error)
      const why = code === 'EACCES' ? "permission denied (run as root or as the hub's user)" : reasonOf(error)
      throw new SystemError(code, `cannot open accounts ${path}: ${why}`, { cause: error })
    }
  }

  close(): void {
    this.#db.close()
  }

  users(): User[] {
    const rows = this.#db
      .prepare(
        `SELECT name, password IS NOT NULL AS hasPassword, created,
                (SELECT count(*) FROM keys WHERE keys.user = users.id) AS keys
         FROM users ORDER BY name`,
      )
      .all()
    return rows.map((row) => ({
      name: textIn(row, 'name'),
      hasPassword: numberIn(row, 'hasPassword') !== 0,
      keys: numberIn(row, 'keys'),
      created: new Date(numberIn(row, 'created')),
    }))
  }

  /** Adds a user with a password (PHC format), a key, or both. @throws ConfigError when the name is bad or taken */
  addUser(name: string, access: { readonly password?: string; readonly key?: PublicKey }): void {
    checkUserName(name)
    this.#write(() => {
      if (this.#find(name) !== undefined) {
        throw new ConfigError(
          `user ${name} exists already (add a key with \`hybridge user key add ${name} FILE.pub\`)`,
        )
      }
      const added = this.#db
        .prepare('INSERT INTO users (name, password, created) VALUES (?, ?, ?)')
        .run(name, access.password ?? null, this.#now())
      if (access.key) this.#insertKey(Number(added.lastInsertRowid), access.key)
    })
  }

  removeUser(name: string): void {
    this.#write(() => this.#db.prepare('DELETE FROM users WHERE id = ?').run(this.#require(name)))
  }

  /** Argon2 hash of the user's password in PHC format; undefined for unknown users and those with keys only. */
  passwordHash(name: string): string | undefined {
    const row = this.#db
      .prepare('SELECT password FROM users WHERE name = ? AND password IS NOT NULL')
      .get(name)
    return row === undefined ? undefined : textIn(row, 'password')
  }

  /** Puts a new hash of the same password in place of `old`, unless the password was changed meanwhile. */
  replacePasswordHash(name: string, old: string, hash: string): void {
    this.#db.prepare('UPDATE users SET password = ? WHERE name = ? AND password = ?').run(hash, name, old)
  }

  addKey(name: string, key: PublicKey): void {
    this.#write(() => {
      const user = this.#require(name)
      if (this.hasKey(name, key.blob))
        throw new ConfigError(`user ${name} has the key ${key.fingerprint} already`)
      this.#insertKey(user, key)
    })
  }

  /** @param which  the fingerprint, or the comment when only one key of the user has it */
  removeKey(name: string, which: string): void {
    this.#write(() => {
      const user = this.#require(name)
      const found = this.#db
        .prepare('SELECT id FROM keys WHERE user = ? AND (fingerprint = ? OR comment = ?)')
        .all(user, which, which)
      const [key, another] = found
      if (!key)
        throw new ConfigError(`user ${name} has no key ${which} (see \`hybridge user key list ${name}\`)`)
      if (another !== undefined)
        throw new ConfigError(`user ${name} has several keys ${which}: give the fingerprint`)
      this.#db.prepare('DELETE FROM keys WHERE id = ?').run(numberIn(key, 'id'))
    })
  }

  keys(name: string): UserKey[] {
    const rows = this.#db
      .prepare('SELECT type, fingerprint, comment, created FROM keys WHERE user = ? ORDER BY id')
      .all(this.#require(name))
    return rows.map((row) => ({
      type: textIn(row, 'type'),
      fingerprint: textIn(row, 'fingerprint'),
      comment: textIn(row, 'comment'),
      created: new Date(numberIn(row, 'created')),
    }))
  }

  hasKey(name: string, blob: Uint8Array): boolean {
    return (
      this.#db
        .prepare(
          'SELECT 1 FROM keys JOIN users ON users.id = keys.user WHERE users.name = ? AND keys.blob = ?',
        )
        .get(name, blob) !== undefined
    )
  }

  #insertKey(user: number, key: PublicKey): void {
    this.#db
      .prepare('INSERT INTO keys (user, type, blob, comment, fingerprint, created) VALUES (?, ?, ?, ?, ?, ?)')
      .run(user, key.type, key.blob, key.comment, key.fingerprint, this.#now())
  }

  #find(name: string): number | undefined {
    const row = this.#db.prepare('SELECT id FROM users WHERE name = ?').get(name)
    return row === undefined ? undefined : numberIn(row, 'id')
  }

  #require(name: string): number {
    const id = this.#find(name)
    if (id === undefined) throw new ConfigError(`no user ${name} (see \`hybridge user list\`)`)
    return id
  }

  #write(change: () => unknown): void {
    inTransaction(this.#db, change)
  }
}

function inTransaction(db: Database.Database, change: () => unknown): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    change()
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

/** Also the first write of the connection, after which the write-ahead log is open. */
function migrate(db: Database.Database): void {
  inTransaction(db, () => {
    const version = numberIn(db.prepare('PRAGMA user_version').get(), 'user_version')
    if (version > MIGRATIONS.length) {
      throw new SystemError(
        'ENOTSUP',
        `a newer version of hybridge wrote it (schema ${version}, this one knows up to ${MIGRATIONS.length})`,
      )
    }
    for (const step of MIGRATIONS.slice(version)) db.exec(step)
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`)
  })
}

/** Before SQLite has the file open: closing a descriptor of it afterwards would end SQLite's locks. */
function makePrivate(path: string, owner: Identity | undefined): void {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW
  const fd = openSync(path, flags, 0o600)
  try {
    const file = fstatSync(fd)
    if ((file.mode & 0o7777) !== 0o600) fchmodSync(fd, 0o600)
    if (owner && file.size === 0) fchownSync(fd, owner.uid, owner.gid)
  } finally {
    closeSync(fd)
  }
}
