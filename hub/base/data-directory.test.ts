import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  defaultDataDirectory,
  openDataDirectory,
  ownerOf,
  prepareDataDirectory,
  requireDataDirectory,
} from '#hub/base/data-directory.ts'
import { processUsers } from '#hub/base/privilege.ts'

let parent: string
let data: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'hybridge-data-'))
  data = join(parent, 'labs/one')
})
afterEach(() => rmSync(parent, { recursive: true }))

describe('defaultDataDirectory', () => {
  it('is what the environment names, else by who asks', () => {
    expect(defaultDataDirectory({ HYBRIDGE_DATA: '/x' }, 0, '/h')).toBe('/x')
    expect(defaultDataDirectory({ XDG_STATE_HOME: '/s' }, 0, '/h')).toBe('/var/lib/hybridge')
    expect(defaultDataDirectory({ XDG_STATE_HOME: '/s' }, 1000, '/h')).toBe('/s/hybridge')
    expect(defaultDataDirectory({ XDG_STATE_HOME: 'relative' }, 1000, '/h')).toBe('/h/.local/state/hybridge')
    expect(defaultDataDirectory({}, 1000, '/h')).toBe('/h/.local/state/hybridge')
  })
})

const users = processUsers()
const mode = (path: string): string => (statSync(join(data, path)).mode & 0o7777).toString(8)

describe('prepareDataDirectory', () => {
  it('makes the layout with modes and owners, whatever the umask, and again without harm', () => {
    const mask = process.umask(0)
    try {
      prepareDataDirectory(data)
      writeFileSync(join(data, 'accounts.db'), '')
      prepareDataDirectory(data)
    } finally {
      process.umask(mask)
    }
    expect(['..', '', 'run', 'log', 'accounts.db'].map(mode)).toEqual(['777', '710', '710', '700', '600'])
    if (!users) return
    for (const path of ['', 'run']) {
      expect(statSync(join(data, path))).toMatchObject({ uid: users.service.uid, gid: users.gateway.gid })
    }
    expect(statSync(join(data, 'log')).uid).toBe(0)
    expect(statSync(join(data, 'accounts.db')).uid).toBe(users.service.uid)
    expect(ownerOf(data)?.uid).toBe(users.service.uid)
  })

  it("touches no directory that is somebody else's", () => {
    mkdirSync(join(data, 'log'), { recursive: true })
    writeFileSync(join(data, 'letter.txt'), '')
    chmodSync(data, 0o755)
    expect(() => prepareDataDirectory(data)).toThrow(/it holds other files/)
    expect(() => openDataDirectory(data)).toThrow(/it holds other files/)
    expect(mode('')).toBe('755')
  })

  it('follows no link that stands in for a part of it', () => {
    mkdirSync(data, { recursive: true })
    mkdirSync(join(parent, 'elsewhere'), { mode: 0o755 })
    symlinkSync('../../elsewhere', join(data, 'run'))
    expect(() => prepareDataDirectory(data)).toThrow(/cannot use data directory/)
    expect(statSync(join(parent, 'elsewhere')).mode & 0o777).toBe(0o755)
  })
})

describe('openDataDirectory', () => {
  it('leaves owners and modes of a directory with accounts alone', () => {
    mkdirSync(data, { recursive: true, mode: 0o755 })
    writeFileSync(join(data, 'accounts.db'), '')
    openDataDirectory(data)
    expect(mode('')).toBe('755')
  })
})

describe('requireDataDirectory', () => {
  it('says what makes one', () => {
    expect(() => requireDataDirectory(data)).toThrow(/no data directory .*hybridge serve/)
  })
})
