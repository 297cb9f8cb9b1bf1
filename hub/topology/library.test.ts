import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_ARCHIVE, writeArchive } from '#hub/topology/archive.ts'
import { ActiveTopologies } from '#hub/topology/active.ts'
import { TopologyLibrary } from '#hub/topology/library.ts'
import { libraryHandlers } from '#hub/topology/library-operations.ts'
import { SetFiles } from '#hub/topology/set-files.ts'
import { Uploads } from '#hub/topology/uploads.ts'

let directory: string
let before: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-library-'))
  before = process.cwd()
  process.chdir(directory)
})
afterEach(() => {
  process.chdir(before)
  rmSync(directory, { recursive: true })
})

function set(files: Record<string, string>): SetFiles {
  const made = new SetFiles('two')
  for (const [path, text] of Object.entries(files)) made.add(path, Buffer.from(text))
  return made
}

describe('the library', () => {
  const library = new TopologyLibrary()

  it('keeps sets, closed to others, and replaces one only when told to', async () => {
    const first = set({ 'topology.vmm': 'a', 'configset/h1.conf': 'b' })
    expect(await library.store('two', first, false)).toBe('new')
    expect(await library.store('two', first, false)).toBe('same')
    const second = set({ 'topology.vmm': 'c' })
    await expect(library.store('two', second, false)).rejects.toThrow(
      /the library has another two \(--replace/,
    )
    expect(readFileSync('topologies/two/set/configset/h1.conf', 'utf8')).toBe('b')
    expect(await library.store('two', second, true)).toBe('replaced')
    expect(existsSync('topologies/two/set/configset')).toBe(false)
    expect(statSync('topologies/two/set').mode & 0o777).toBe(0o700)
    expect(statSync('topologies/two/set/topology.vmm').mode & 0o777).toBe(0o600)
    expect(library.names()).toEqual(['two'])
  })

  it('has a whole set after an end in the middle of replacing it', async () => {
    await library.store('two', set({ 'topology.vmm': 'a' }), false)
    renameSync('topologies/two/set', 'topologies/two/set.old')
    mkdirSync('topologies/two/set.new')
    library.recover()
    expect(readFileSync('topologies/two/set/topology.vmm', 'utf8')).toBe('a')
    for (const rest of ['old', 'new']) expect(existsSync(`topologies/two/set.${rest}`)).toBe(false)
  })

  it.each(['', '..', 'a/b', '-x', 'x'.repeat(64)])('takes no set as %j', async (name) => {
    await expect(library.store(name, set({ 'topology.vmm': 'a' }), false)).rejects.toThrow(/no name/)
  })
})

describe('an archive that is sent', () => {
  it('comes in parts, is bounded, and forgotten with its connection', () => {
    const uploads = new Uploads()
    const connection = new AbortController()
    uploads.add(connection.signal, Buffer.from('a'))
    uploads.add(connection.signal, Buffer.from('b'))
    expect(uploads.take(connection.signal).toString()).toBe('ab')
    expect(() => uploads.take(connection.signal)).toThrow(/no archive/)
    expect(() => uploads.add(connection.signal, Buffer.alloc(MAX_ARCHIVE + 1))).toThrow(/at most 12 MiB/)
    expect(() => uploads.take(connection.signal)).toThrow(/no archive/)
    uploads.add(connection.signal, Buffer.from('a'))
    connection.abort()
    expect(() => uploads.take(connection.signal)).toThrow(/no archive/)
  })

  it('waits for none of eight others', () => {
    const uploads = new Uploads()
    const connections = Array.from({ length: 9 }, () => new AbortController())
    for (const { signal } of connections.slice(0, 8)) uploads.add(signal, Buffer.from('a'))
    const last = connections[8]?.signal ?? AbortSignal.abort()
    expect(() => uploads.add(last, Buffer.from('a'))).toThrow(/try again/)
    connections[0]?.abort()
    uploads.add(last, Buffer.from('a'))
  })
})

describe('what operators ask about the library', () => {
  const calls: unknown[] = []
  const supervisor = {
    call: (op: string, params: object = {}) => {
      calls.push({ op, ...params })
      return Promise.resolve([{ name: 'runs', owner: 'ann', state: 'running', devices: [] }])
    },
  }
  const handlers = libraryHandlers(
    new TopologyLibrary(),
    new ActiveTopologies(supervisor, 'identity', '10.255.0.0/16'),
    supervisor,
  )
  const { signal } = new AbortController()
  const ask = (op: string, params = {}): Promise<unknown> =>
    Promise.resolve(handlers[op]?.(params, { signal }))

  it('stores what was sent, and lists it with what runs', async () => {
    const archive = await writeArchive(new Map([['topology.vmm', Buffer.from('x')]]), 'zip')
    await ask('library.put', { octets: archive.toString('base64') })
    expect(await ask('library.commit', { name: 'new' })).toEqual({ stored: 'new' })
    expect(await ask('topology.list')).toMatchObject([
      { name: 'runs', state: 'running' },
      { name: 'new', state: 'stopped', since: null, devices: [] },
    ])
    await ask('topology.remove', { name: 'new' })
    expect(calls.at(-1)).toEqual({ op: 'topology.remove', name: 'new' })
  })

  it.each([
    ['no archive', Buffer.from('hello'), /neither ZIP nor tar\.gz/],
    ['half of one', Buffer.from('PK\u0003\u0004'), /no whole zip/],
  ])('refuses %s', async (_what, octets, reason) => {
    await ask('library.put', { octets: octets.toString('base64') })
    await expect(ask('library.commit', { name: 'new' })).rejects.toThrow(reason)
    expect(existsSync('topologies/new/set')).toBe(false)
  })
})
