import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { claimDirectory, directoryMode, leaveDirectory, prepareDirectory } from '#hub/vde/directory.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hybridge-vde-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Leaves a socket's file that nobody serves. */
function staleSocket(path: string): void {
  const bind = 'import socket,sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind(sys.argv[1])'
  execFileSync('/usr/bin/python3', ['-I', '-S', '-c', bind, path])
}

const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8)

it.each([
  [undefined, '2700'],
  [0o600, '3700'],
  [0o660, '3770'],
  [0o666, '3777'],
  [0o644, '3755'],
])('the mode of a directory whose ctl has mode %o', (of, expected) => {
  expect(directoryMode({ directory: '/x', mode: of }).toString(8)).toBe(expected)
})

describe('prepareDirectory', () => {
  it('makes the directory, and those above it', () => {
    const { path } = prepareDirectory({ directory: join(root, 'a/b'), mode: 0o660 }, undefined)
    expect(path).toBe(join(root, 'a/b'))
    expect([mode(join(root, 'a')), mode(path)]).toEqual(['755', '3770'])
  })

  it('says that one cannot be made, and does not try for ever', () => {
    expect(() => prepareDirectory({ directory: '/proc/nowhere/sw' }, undefined)).toThrow(/cannot use VDE/)
  })

  it('takes one that a switch left, by a name without links, and none that holds anything else', () => {
    mkdirSync(join(root, 'real/sw'), { recursive: true })
    symlinkSync('real', join(root, 'link'))
    staleSocket(join(root, 'real/sw/001.9'))
    staleSocket(join(root, 'real/sw/.01234-00000'))
    expect(prepareDirectory({ directory: join(root, 'link/sw') }, undefined).path).toBe(join(root, 'real/sw'))
    writeFileSync(join(root, 'real/sw/notes'), '')
    expect(() => prepareDirectory({ directory: join(root, 'link/sw') }, undefined)).toThrow(
      /cannot use VDE directory .*: it holds other files, as notes \(name an empty/,
    )
  })

  it('leaves one as it is while another switch serves there', async () => {
    const server = net.createServer()
    await new Promise<void>((resolve) => server.listen(join(root, 'ctl'), resolve))
    chmodSync(root, 0o751)
    expect(prepareDirectory({ directory: root, mode: 0o660 }, undefined).path).toBe(root)
    expect(mode(root)).toBe('751')
    server.close()
  })

  it('refuses a link, a file, and what belongs to another', () => {
    symlinkSync(root, join(root, 'link'))
    writeFileSync(join(root, 'file'), '')
    for (const name of ['link', 'file'])
      expect(() => prepareDirectory({ directory: join(root, name) }, undefined)).toThrow(/cannot use VDE/)
    mkdirSync(join(root, 'own'))
    const { uid } = statSync(join(root, 'own'))
    const user = vi.spyOn(process, 'geteuid').mockReturnValue(uid + 1)
    expect(() => prepareDirectory({ directory: join(root, 'own') }, undefined)).toThrow(
      `belongs to user ${uid} (`,
    )
    user.mockRestore()
    mkdirSync(join(root, 'open'))
    chmodSync(join(root, 'open'), 0o777)
    expect(() => prepareDirectory({ directory: join(root, 'open/sw') }, undefined)).toThrow(
      /others may write in .*\/open \(chmod o-w/,
    )
    chmodSync(join(root, 'open'), 0o1777)
    expect(prepareDirectory({ directory: join(root, 'open/sw') }, undefined).path).toBe(join(root, 'open/sw'))
  })

  it('names a group that is not there, and a path that is too long', () => {
    const config = { directory: join(root, 'a'), group: 'no-such-group' }
    expect(() => prepareDirectory(config, undefined)).toThrow(/no group no-such-group/)
    const long = join(root, 'd'.repeat(90))
    expect(() => prepareDirectory({ directory: long }, undefined)).toThrow(/leave room for 92/)
  })
})

describe('claimDirectory', () => {
  it('removes what a killed switch left, and nothing of its clients', () => {
    for (const name of ['001.9', '1024.77', '.01234-00000']) staleSocket(join(root, name))
    writeFileSync(join(root, '002.9'), 'no socket')
    claimDirectory(root)
    expect(readdirSync(root).sort()).toEqual(['.01234-00000', '002.9'])
    leaveDirectory(root)
    expect(readdirSync(root)).toHaveLength(2)
  })

  it('leaves the directory of a switch that serves', async () => {
    const server = net.createServer()
    await new Promise<void>((resolve) => server.listen(join(root, 'ctl'), resolve))
    expect(() => claimDirectory(root)).toThrow(/another process serves there \(stop it/)
    server.close()
    writeFileSync(join(root, 'ctl'), '')
    expect(() => claimDirectory(root)).toThrow(/ctl: it exists and is no socket/)
  })
})
