import { describe, expect, it } from 'vitest'
import { type Machine, notKept, rootFiles, secretsIn } from '#hub/device/host/root-files.ts'

/** A machine of directories, links `NAME -> TARGET` and files `NAME.`. */
function machine(entries: readonly string[]): Machine {
  const targets = new Map<string, string>()
  for (const entry of entries) {
    const [path = '', target] = entry.split(' -> ')
    if (target !== undefined) targets.set(path, target)
  }
  const files = new Set(entries.filter((entry) => entry.endsWith('.')).map((entry) => entry.slice(0, -1)))
  const directories = new Set(entries.filter((entry) => !entry.endsWith('.') && !entry.includes(' -> ')))
  return {
    kindOf: (path) =>
      targets.has(path) ? 'link' : files.has(path) ? 'file' : directories.has(path) ? 'directory' : undefined,
    list: (path) =>
      [...directories, ...targets.keys(), ...files]
        .filter((entry) => entry.startsWith(`${path}/`))
        .map((entry) => entry.slice(path.length + 1)),
    target: (path) => targets.get(path) ?? '',
  }
}

const merged = machine([
  '/usr',
  '/usr/bin',
  '/usr/lib',
  '/usr/local',
  '/bin -> usr/bin',
  '/lib -> usr/lib',
  '/etc/alternatives',
  '/etc/ld.so.cache.',
])

describe('rootFiles', () => {
  it('shares what is in /usr but /usr/local, and keeps the links to it', () => {
    const { links, shared, directories } = rootFiles(merged)
    expect(links).toEqual([
      { path: 'bin', target: 'usr/bin' },
      { path: 'lib', target: 'usr/lib' },
    ])
    expect(shared).toEqual([
      { path: 'usr/bin', kind: 'directory' },
      { path: 'usr/lib', kind: 'directory' },
      { path: 'etc/alternatives', kind: 'directory' },
      { path: 'etc/ld.so.cache', kind: 'file' },
    ])
    expect(directories).toContain('usr/local')
  })

  it('shares /bin and /lib themselves where they are no links', () => {
    const { links, shared } = rootFiles(machine(['/usr', '/usr/bin', '/bin', '/lib']))
    expect(links).toEqual([])
    expect(shared.map(({ path }) => path)).toEqual(['bin', 'lib', 'usr/bin'])
  })
})

it('does not keep what is shared, linked or made at every start', () => {
  const paths = notKept(rootFiles(merged))
  expect(paths).toEqual(
    expect.arrayContaining(['proc', 'dev', 'run', 'tmp', 'bin', 'usr/bin', 'etc/ld.so.cache']),
  )
  for (const kept of ['etc', 'usr', 'usr/local', 'root', 'home']) expect(paths).not.toContain(kept)
})

it('finds secrets in what is shared, and no others', () => {
  const { shared } = rootFiles(merged)
  const secrets = [
    '/usr/lib/hybridge',
    '/usr/bin/hybridge',
    '/usr/lib2/x',
    '/var/lib/hybridge',
    '/usr/local/x',
  ]
  expect(secretsIn(shared, secrets)).toEqual(['/usr/lib/hybridge', '/usr/bin/hybridge'])
})
