import { describe, expect, it } from 'vitest'
import { Authenticator, type Credentials, networkOf } from '#hub/accounts/authenticator.ts'
import { hashPassword, needsRehash } from '#hub/accounts/password.ts'

const cheap = { memoryCost: 64, timeCost: 1, parallelism: 1 }
const blob = new Uint8Array(10).fill(1)
const otherBlob = new Uint8Array(10).fill(2)
const PASSWORD = 'right password'

/** ann has a key and a password, kim a key only. */
class Accounts implements Credentials {
  readonly hashes = new Map<string, string>()
  hasKey(user: string, key: Uint8Array): boolean {
    return (user === 'ann' || user === 'kim') && key[0] === 1
  }
  passwordHash(user: string): string | undefined {
    return this.hashes.get(user)
  }
  replacePasswordHash(user: string, old: string, hash: string): void {
    if (this.hashes.get(user) === old) this.hashes.set(user, hash)
  }
}

async function setUp(cost = cheap) {
  const accounts = new Accounts()
  accounts.hashes.set('ann', await hashPassword(PASSWORD, cheap))
  return { accounts, authenticator: new Authenticator(accounts, cost) }
}

const home = '192.0.2.1'
const right = { user: 'ann', password: PASSWORD, address: home }
const wrong = { ...right, password: 'wrong password' }

describe('Authenticator.key', () => {
  it("accepts the user's keys, and only those", async () => {
    const { authenticator } = await setUp()
    const attempt = { user: 'ann', blob, address: home, signed: true }
    expect(authenticator.key(attempt, 0)).toEqual({ accepted: true })
    expect(authenticator.key({ ...attempt, user: 'bob' }, 0)).toEqual({ accepted: false })
    expect(authenticator.key({ ...attempt, blob: otherBlob }, 0)).toEqual({ accepted: false })
  })

  it('makes an address wait that keeps failing, yet never keeps a right key out', async () => {
    const { authenticator } = await setUp()
    const bad = { user: 'ann', blob: otherBlob, address: home, signed: true }
    for (let i = 0; i < 6; i++) authenticator.key(bad, 0)
    expect(authenticator.key(bad, 0)).toEqual({ accepted: false, retryAfterMs: 1000 })
    expect(authenticator.key({ ...bad, blob }, 0)).toEqual({ accepted: true })
  })

  it('does not count keys that are only offered', async () => {
    const { authenticator } = await setUp()
    const offer = { user: 'ann', blob: otherBlob, address: home, signed: false }
    for (let i = 0; i < 100; i++) expect(authenticator.key(offer, 0)).toEqual({ accepted: false })
  })
})

describe('Authenticator.password', () => {
  it('accepts the right password only', async () => {
    const { authenticator } = await setUp()
    expect(await authenticator.password(right, 0)).toEqual({ accepted: true })
    expect(await authenticator.password(wrong, 0)).toEqual({ accepted: false })
    expect(await authenticator.password({ ...right, user: 'kim' }, 0)).toEqual({ accepted: false })
    expect(await authenticator.password({ ...right, user: 'nobody' }, 0)).toEqual({ accepted: false })
    expect(await authenticator.password({ ...right, password: '' }, 0)).toEqual({ accepted: false })
    expect(await authenticator.password({ ...right, password: 'x'.repeat(4096) }, 0)).toEqual({
      accepted: false,
    })
  })

  it('makes an address wait longer and longer, the right password included', async () => {
    const { authenticator } = await setUp()
    let now = 0
    const waits: number[] = []
    for (let i = 0; i < 9; i++) {
      const verdict = await authenticator.password({ ...wrong, user: `user${i}` }, now)
      expect(verdict).toEqual({ accepted: false })
      const { retryAfterMs = 0 } = await authenticator.password(right, now)
      if (retryAfterMs > 0) waits.push(retryAfterMs)
      now += retryAfterMs
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000])
    expect(await authenticator.password(right, now)).toEqual({ accepted: true })
  })

  it('counts guesses that are made at the same time', async () => {
    const { authenticator } = await setUp()
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => authenticator.password(wrong, 0)))
    expect(verdicts.filter((verdict) => verdict.retryAfterMs === undefined)).toHaveLength(6)
  })

  it('makes a name wait that is guessed from everywhere, except where its user is at home', async () => {
    const { authenticator } = await setUp()
    expect(await authenticator.password(right, 0)).toEqual({ accepted: true })
    for (let i = 0; i < 11; i++) {
      expect(await authenticator.password({ ...wrong, address: `198.51.100.${i}` }, 0)).toEqual({
        accepted: false,
      })
    }
    const fresh = { ...right, address: '203.0.113.1' }
    expect(await authenticator.password(fresh, 0)).toEqual({ accepted: false, retryAfterMs: 1000 })
    expect(authenticator.key({ user: 'ann', blob, address: fresh.address, signed: false }, 0)).toEqual({
      accepted: true,
    })
    expect(await authenticator.password(right, 0)).toEqual({ accepted: true })
    expect(await authenticator.password(fresh, 1000)).toEqual({ accepted: true })
  })

  it('waits alike for names that do not exist', async () => {
    const { authenticator } = await setUp()
    for (let i = 0; i < 11; i++)
      await authenticator.password({ ...wrong, user: 'ghost', address: `198.51.100.${i}` }, 0)
    expect(await authenticator.password({ ...wrong, user: 'ghost' }, 0)).toMatchObject({ retryAfterMs: 1000 })
  })

  it('puts off what exceeds its queue, without holding it against anybody', async () => {
    const { authenticator } = await setUp()
    const flood = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        authenticator.password({ user: `u${i}`, password: PASSWORD, address: `198.51.100.${i}` }, 0),
      ),
    )
    expect(flood.filter((verdict) => verdict.retryAfterMs === 1000)).toHaveLength(66)
    expect(await authenticator.password({ ...right, address: '198.51.100.99' }, 0)).toEqual({
      accepted: true,
    })
  })

  it('computes a hash for unknown users, too', async () => {
    const costly = { memoryCost: 8192, timeCost: 4, parallelism: 1 }
    const accounts = new Accounts()
    accounts.hashes.set('ann', await hashPassword(PASSWORD, costly))
    const authenticator = new Authenticator(accounts, costly)
    await authenticator.password({ ...wrong, user: 'ghost' }, 0)
    const timed = async (user: string): Promise<number> => {
      const started = performance.now()
      await authenticator.password({ ...wrong, user, address: `198.51.100.${user.length}` }, 0)
      return performance.now() - started
    }
    const known = Math.min(await timed('ann'), await timed('ann'), await timed('ann'))
    const unknown = Math.min(await timed('ghost'), await timed('ghost'), await timed('ghost'))
    expect(unknown).toBeGreaterThan(known / 3)
  })

  it('hashes anew when the parameters have changed', async () => {
    const dearer = { ...cheap, timeCost: 2 }
    const { accounts, authenticator } = await setUp(dearer)
    await authenticator.password(wrong, 0)
    expect(needsRehash(accounts.hashes.get('ann') ?? '', cheap)).toBe(false)
    await authenticator.password(right, 0)
    expect(needsRehash(accounts.hashes.get('ann') ?? '', dearer)).toBe(false)
    expect(await authenticator.password(right, 0)).toEqual({ accepted: true })
  })
})

describe('networkOf', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('groups %s as %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
