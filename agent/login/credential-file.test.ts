import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readPasswordFile, secretPath } from '#agent/login/credential-file.ts'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'credentials-'))
  writeFileSync(join(directory, 'word'), 'secret\nmore\n', { mode: 0o600 })
  writeFileSync(join(directory, 'empty'), '\n', { mode: 0o600 })
})
afterAll(() => rmSync(directory, { recursive: true }))

it('takes the first line of a file that is closed to others', () => {
  const file = join(directory, 'word')
  expect(readPasswordFile(file, {})).toBe('secret')
  chmodSync(file, 0o640)
  expect(() => readPasswordFile(file, {})).toThrow(`chmod 600 ${file}`)
  // The directory of credentials is closed to others as a whole.
  expect(readPasswordFile('credential:word', { CREDENTIALS_DIRECTORY: directory })).toBe('secret')
  expect(() => readPasswordFile(join(directory, 'empty'), {})).toThrow('its first line is empty')
  expect(() => readPasswordFile(join(directory, 'none'), {})).toThrow(
    `cannot take the password from ${directory}`,
  )
})

it('finds credentials by name, and only there', () => {
  expect(secretPath('credential:site-key', { CREDENTIALS_DIRECTORY: '/run/credentials/x' })).toBe(
    '/run/credentials/x/site-key',
  )
  expect(() => secretPath('credential:../etc/shadow', { CREDENTIALS_DIRECTORY: '/x' })).toThrow(
    'name of a credential',
  )
  expect(() => secretPath('credential:key', {})).toThrow('LoadCredential=key:')
  expect(secretPath('/etc/key', {})).toBe('/etc/key')
})
