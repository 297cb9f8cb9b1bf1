import { describe, expect, it } from 'vitest'
import {
  PASSWORD_COST,
  checkPassword,
  hashPassword,
  needsRehash,
  verifyPassword,
} from '#hub/accounts/password.ts'

const cheap = { memoryCost: 64, timeCost: 1, parallelism: 1 }

describe('hashPassword', () => {
  it('makes argon2id hashes that only the password verifies, each with its own salt', async () => {
    const hashed = await hashPassword('grün wie Gras', cheap)
    expect(hashed).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/)
    expect(await hashPassword('grün wie Gras', cheap)).not.toBe(hashed)
    expect(await verifyPassword(hashed, 'grün wie Gras')).toBe(true)
    expect(await verifyPassword(hashed, 'grün wie gras')).toBe(false)
  })

  it('has a cost by default that guessing feels', () => {
    expect(PASSWORD_COST.memoryCost).toBeGreaterThanOrEqual(19_456)
    expect(PASSWORD_COST.timeCost).toBeGreaterThanOrEqual(2)
  })
})

describe('needsRehash', () => {
  it('is so when any parameter differs', async () => {
    const hashed = await hashPassword('x', cheap)
    expect(needsRehash(hashed, cheap)).toBe(false)
    expect(needsRehash(hashed, { ...cheap, timeCost: 2 })).toBe(true)
    expect(needsRehash(hashed.replace('argon2id', 'argon2i'), cheap)).toBe(true)
  })
})

describe('checkPassword', () => {
  it('refuses the short and the endless', () => {
    expect(() => checkPassword('1234567')).toThrow(/fewer than 8/)
    expect(() => checkPassword('ä'.repeat(600))).toThrow(/over 1024/)
    checkPassword('12345678')
  })
})
