import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openDirectory, removeFile, removeWithin, withinDirectory } from '#hub/base/directory.ts'

let directory: string
let before: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-directory-'))
  before = process.cwd()
  process.chdir(directory)
  mkdirSync('kept/in', { recursive: true })
  writeFileSync('kept/in/file', '')
})
afterEach(() => {
  process.chdir(before)
  rmSync(directory, { recursive: true })
})

it('opens no directory by a link, at whatever place in its path', () => {
  symlinkSync('kept', 'link')
  symlinkSync('in', 'kept/link')
  for (const path of ['link', 'link/in', 'kept/link'])
    expect(() => openDirectory(path)).toThrow(/ELOOP|ENOTDIR/)
  expect(() => removeFile('link/in/file')).toThrow(/ELOOP|ENOTDIR/)
  expect(withinDirectory('kept/in', (path) => readdirSync(path))).toEqual(['file'])
})

it('removes what has a name, whatever it is, and nothing that a link names', () => {
  mkdirSync('gone/deep', { recursive: true })
  symlinkSync('../../kept', 'gone/deep/link')
  symlinkSync('kept', 'link')
  for (const name of ['gone', 'link', 'absent'])
    withinDirectory('.', (path) => {
      removeWithin(path, name)
    })
  removeFile('absent/file')
  expect(readdirSync('.')).toEqual(['kept'])
  expect(readdirSync('kept/in')).toEqual(['file'])
})
