import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MIGRATIONS } from '#hub/accounts/migrations.ts'
import { fingerprintOf } from '#hub/accounts/public-key.ts'
import { AccountStore, checkUserName } from '#hub/accounts/store.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-store-'))
  path = join(directory, 'accounts.db')
})
afterEach(() => rmSync(directory, { recursive: true }))

const key = (n: number, comment = `key ${n}`) => {
  const blob = new Uint8Array(40).fill(n)
  return { type: 'ssh-ed25519', blob, comment, fingerprint: fingerprintOf(blob) }
}

/** Lets `use` have the accounts, opened anew. */
function withStore<T>(use: (store: AccountStore) => T): T {
  const store = AccountStore.open(path, undefined, () => 1_700_000_000_000)
  try {
    return use(store)
  } finally {
    store.close()
  }
}

describe('AccountStore', () => {
  it('keeps users and keys in a private file', () => {
    withStore((store) => {
      store.addUser('bob', { password: '$argon2id$x' })
      store.addUser('ann', { key: key(1) })
      store.addKey('ann', key(2))
    })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    chmodSync(path, 0o644)
    withStore((store) => {
      expect(statSync(path).mode & 0o777).toBe(0o600)
      const created = new Date(1_700_000_000_000)
      expect(store.users()).toEqual([
        { name: 'ann', hasPassword: false, keys: 2, created },
        { name: 'bob', hasPassword: true, keys: 0, created },
      ])
      expect(store.keys('ann').map((one) => one.fingerprint)).toEqual([
        key(1).fingerprint,
        key(2).fingerprint,
      ])
      expect(store.hasKey('ann', key(2).blob)).toBe(true)
      expect(store.hasKey('bob', key(2).blob)).toBe(false)
      expect(store.hasKey('nobody', key(2).blob)).toBe(false)
      expect(store.passwordHash('bob')).toBe('$argon2id$x')
      expect(store.passwordHash('ann')).toBeUndefined()
      expect(store.passwordHash('nobody')).toBeUndefined()
    })
  })

  it('refuses what contradicts what is there', () => {
    withStore((store) => {
      store.addUser('ann', { key: key(1) })
      expect(() => store.addUser('ann', {})).toThrow(/user ann exists already/)
      expect(() => store.addKey('ann', key(1))).toThrow(/has the key SHA256:.* already/)
      expect(() => store.addKey('eve', key(1))).toThrow(/no user eve/)
      expect(() => store.removeUser('eve')).toThrow(/no user eve/)
      expect(store.users()).toHaveLength(1)
    })
  })

  it('lets two users have the same key, and forgets keys with their user', () => {
    withStore((store) => {
      store.addUser('ann', { key: key(1) })
      store.addUser('bob', { key: key(1) })
      store.removeUser('ann')
      expect(store.hasKey('ann', key(1).blob)).toBe(false)
      expect(store.hasKey('bob', key(1).blob)).toBe(true)
      store.addUser('ann', {})
      expect(store.keys('ann')).toEqual([])
    })
  })

  it('removes a key by fingerprint, or by comment when it is the only one', () => {
    withStore((store) => {
      store.addUser('ann', { key: key(1, 'laptop') })
      store.addKey('ann', key(2, 'laptop'))
      expect(() => store.removeKey('ann', 'laptop')).toThrow(/give the fingerprint/)
      store.removeKey('ann', key(1).fingerprint)
      store.removeKey('ann', 'laptop')
      expect(() => store.removeKey('ann', 'laptop')).toThrow(/no key laptop/)
      expect(store.keys('ann')).toEqual([])
    })
  })

  it('puts a new hash only in the place of the one that was checked', () => {
    withStore((store) => {
      store.addUser('bob', { password: 'old' })
      store.replacePasswordHash('bob', 'other', 'new')
      expect(store.passwordHash('bob')).toBe('old')
      store.replacePasswordHash('bob', 'old', 'new')
      expect(store.passwordHash('bob')).toBe('new')
    })
  })

  it('sees at once what another connection adds', () => {
    withStore((first) => {
      withStore((second) => second.addUser('ann', { key: key(1) }))
      expect(first.hasKey('ann', key(1).blob)).toBe(true)
    })
  })

  it('is used by several processes at once from its very beginning', async () => {
    const script = `
      import { AccountStore } from '#hub/accounts/store.ts'
      const store = AccountStore.open(${JSON.stringify(path)})
      for (let i = 0; i < 20; i++) store.addUser('u' + process.argv[1] + '_' + i, {})
      store.close()`
    const run = promisify(execFile)
    const args = ['--import', 'tsx', '--input-type=module', '-e', script]
    await Promise.all(['a', 'b', 'c'].map((name) => run(process.execPath, [...args, name])))
    expect(withStore((store) => store.users())).toHaveLength(60)
  })

  it('says so when a newer version wrote the file, and when it is no database', async () => {
    withStore(() => {})
    const db = new Database(path)
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`)
    db.close()
    expect(() => withStore(() => {})).toThrow(/cannot open accounts .*a newer version of hybridge wrote it/)
    const { writeFileSync } = await import('node:fs')
    path = join(directory, 'other.db')
    writeFileSync(path, 'no database at all '.repeat(100))
    expect(() => withStore(() => {})).toThrow(/cannot open accounts .*not a database/)
  })
})

describe('checkUserName', () => {
  it('takes names as Unix has them', () => {
    for (const name of ['ann', '_x', 'a.b-c_9', 'a'.repeat(32)]) checkUserName(name)
    for (const name of ['', 'Ann', '9a', '-a', 'a b', 'ä', 'a'.repeat(33), 'a\n']) {
      expect(() => checkUserName(name)).toThrow(/is no user name/)
    }
  })
})
