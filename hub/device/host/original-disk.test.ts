import { expect, it } from 'vitest'
import { type OriginalDisk, originalDisk } from '#hub/device/host/original-disk.ts'

const textOf = (disk: OriginalDisk, path: string): string =>
  disk.files.find((file) => file.path === path)?.text ?? ''

it('has the name of the device, and the short one', () => {
  expect(textOf(originalDisk('h1.example.net', true), 'etc/hosts')).toMatch(
    /^127\.0\.1\.1 h1\.example\.net h1$/m,
  )
  expect(textOf(originalDisk('h1', true), 'etc/hosts')).toMatch(/^127\.0\.1\.1 h1$/m)
  expect(textOf(originalDisk('h1', true), 'etc/hostname')).toBe('h1\n')
})

it('has users, all of them root where there is no other', () => {
  expect(textOf(originalDisk('h1', true), 'etc/passwd')).toMatch(/^sshd:x:101:101:/m)
  const alone = originalDisk('h1', false)
  expect(textOf(alone, 'etc/passwd')).toMatch(/^sshd:x:0:0:/m)
  expect(textOf(alone, 'etc/group')).toBe('root:x:0:\n')
})

it('lets nobody log in by password, and root alone read the table of them', () => {
  const shadow = originalDisk('h1', true).files.find(({ path }) => path === 'etc/shadow')
  expect(shadow?.mode).toBe(0o600)
  expect(shadow?.text.split('\n').filter((line) => line !== '' && !/^[\w-]+:\*:/.test(line))).toEqual([])
})

it('says nothing twice', () => {
  const { files, links, copied } = originalDisk('h1', false)
  const paths = [...files.map(({ path }) => path), ...links.map(({ path }) => path), ...copied]
  expect(new Set(paths).size).toBe(paths.length)
})
