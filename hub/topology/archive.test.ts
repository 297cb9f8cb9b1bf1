import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { packTar, type TarEntry, type TarHeader } from 'modern-tar'
import { describe, expect, it } from 'vitest'
import yazl from 'yazl'

import { archiveKindOf, readArchive, writeArchive } from '#hub/topology/archive.ts'

const KINDS = ['zip', 'tar.gz'] as const
const files = (entries: Record<string, string>) =>
  new Map(Object.entries(entries).map(([path, text]) => [path, Buffer.from(text)]))

async function zip(entries: readonly (readonly [name: string, content?: Buffer | string, mode?: number])[]) {
  const file = new yazl.ZipFile()
  for (const [name, content = 'x', mode = 0o100644] of entries)
    file.addBuffer(Buffer.from(content), name, { mode })
  file.end()
  return buffer(file.outputStream)
}

/** Names and fields that no library writes: put in place of others of their length. */
function patched(octets: Buffer, from: string | Buffer, to: string | Buffer): Buffer {
  const [old, made] = [Buffer.from(from), Buffer.from(to)]
  const out = Buffer.from(octets)
  let at = out.indexOf(old)
  expect([made.length, at >= 0]).toEqual([old.length, true])
  for (; at >= 0; at = out.indexOf(old, at + made.length)) made.copy(out, at)
  return out
}

async function tar(entries: readonly (readonly [name: string, more?: Partial<TarHeader>, body?: string])[]) {
  const made: TarEntry[] = entries.map(([name, more = {}, body = more.type === undefined ? 'x' : '']) => ({
    header: { name, size: body.length, ...more },
    body,
  }))
  return gzipSync(await packTar(made))
}

const many = (n: number, size: number) =>
  Array.from({ length: n }, (_, i) => [`${i}`, Buffer.alloc(size)] as const)

const read = (octets: Buffer) => readArchive(octets, archiveKindOf(octets) ?? 'zip', 'set')

describe('An archive', () => {
  it.each(KINDS)('of kind %s has the files that were put into it', async (kind) => {
    const set = files({ 'topology.vmm': 'config', 'configset/r1.conf': '', 'configset/ä.conf': 'é\n' })
    const octets = await writeArchive(set, kind)
    expect(archiveKindOf(octets)).toBe(kind)
    expect((await read(octets)).files).toEqual(set)
    expect(await writeArchive(set, kind)).toEqual(octets)
  })

  it.each([
    ['tar.gz', ['tar', '-czf', '../set.tar.gz', '.']],
    ['zip', ['python3', '-m', 'zipfile', '-c', '../set.zip', '.']],
  ] as const)(
    'of kind %s made by another program is read, hidden files left out',
    async (kind, [program, ...args]) => {
      const directory = mkdtempSync(join(tmpdir(), 'hybridge-archive-'))
      try {
        mkdirSync(join(directory, 'set/configset'), { recursive: true })
        for (const name of ['topology.vmm', 'configset/r1.conf', '.hidden'])
          writeFileSync(join(directory, 'set', name), name)
        execFileSync(program, args, { cwd: join(directory, 'set') })
        const { files: found } = await read(readFileSync(join(directory, `set.${kind}`)))
        expect(Object.fromEntries([...found].map(([path, octets]) => [path, octets.toString()]))).toEqual({
          'configset/r1.conf': 'configset/r1.conf',
          'topology.vmm': 'topology.vmm',
        })
      } finally {
        rmSync(directory, { recursive: true })
      }
    },
  )

  const large = Buffer.alloc(1 << 20)
  it.each<readonly [what: string, make: () => Promise<Buffer> | Buffer, message: RegExp]>([
    [
      'zip: a path upwards',
      async () => patched(await zip([['aa/bb']]), 'aa/bb', '../bb'),
      /invalid relative path/,
    ],
    ['zip: an absolute path', async () => patched(await zip([['aa/bb']]), 'aa/bb', '/a/bb'), /absolute path/],
    ['zip: a drive', async () => patched(await zip([['aa/bb']]), 'aa/bb', 'c:/bb'), /absolute path/],
    [
      'zip: a backslash',
      async () => patched(await zip([['aa/bb']]), 'aa/bb', 'aa\\bb'),
      /invalid characters/,
    ],
    [
      'zip: a control character',
      async () => patched(await zip([['aa-bb']]), 'aa-bb', 'aa\nbb'),
      /no path of a set/,
    ],
    ['zip: an empty part', async () => patched(await zip([['aa/bb']]), 'aa/bb', 'a//bb'), /no path of a set/],
    ['zip: a link', () => zip([['a', '/etc/passwd', 0o120777]]), /"a" is neither file nor directory/],
    ['zip: a device', () => zip([['a', '', 0o020666]]), /"a" is neither file nor directory/],
    [
      'zip: case alone',
      () => zip([['A.conf'], ['a.conf']]),
      /"A.conf" and "a.conf" differ in nothing but case/,
    ],
    ['zip: case of directories', () => zip([['A/1'], ['a/2']]), /"A\/" and "a\/" differ in nothing but case/],
    ['zip: twice the same', () => zip([['a'], ['a']]), /"a" is there twice/],
    ['zip: a file that is a directory', () => zip([['a'], ['a/b']]), /"a" is a file and a directory/],
    ['zip: a directory that is a file', () => zip([['a/b'], ['a']]), /"a" is there twice/],
    ['zip: too deep', () => zip([['1/2/3/4/5/6/7/8/9']]), /is nested too deeply/],
    ['zip: a long path', () => zip([['a'.repeat(256)]]), /no path of a set/],
    ['zip: a large file', () => zip([['a', Buffer.alloc((1 << 20) + 1)]]), /"a" is larger than 1 MiB/],
    ['zip: a large set', () => zip(many(11, 1 << 20)), /it is larger than 10 MiB/],
    ['zip: many files', () => zip(many(1001, 0)), /it has more than 1000 files/],
    ['zip: many entries', () => zip(many(4001, 0).map(([name]) => [`.${name}`])), /more than 4000 entries/],
    [
      'zip: more than it says',
      async () => {
        const size = Buffer.alloc(4)
        size.writeUInt32LE(large.length)
        return patched(await zip([['a', large]]), size, Buffer.from([1, 0, 0, 0]))
      },
      /too many bytes in the stream/,
    ],
    [
      'zip: encrypted',
      async () => {
        const octets = await zip([['a']])
        // General purpose flags of the entry in the central directory.
        const at = octets.indexOf(Buffer.from('PK\u0001\u0002')) + 8
        octets.writeUInt16LE(octets.readUInt16LE(at) | 1, at)
        return octets
      },
      /it is encrypted/,
    ],
    ['zip: cut off', async () => (await zip([['a', large]])).subarray(0, 500), /no whole zip archive/],
    ['zip: nothing but its beginning', () => Buffer.from('PK\u0003\u0004'), /no whole zip archive/],
    [
      'zip: too large',
      () => Buffer.concat([Buffer.from('PK'), Buffer.alloc(13 << 20)]),
      /larger than 12 MiB/,
    ],
    ['tar: a path upwards', () => tar([['../a']]), /"..\/a" is no path of a set/],
    ['tar: a path upwards behind a dot', () => tar([['./../a']]), /"..\/a" is no path of a set/],
    ['tar: an absolute path', () => tar([['/etc/passwd']]), /"\/etc\/passwd" is no path of a set/],
    ['tar: a link', () => tar([['a', { type: 'symlink', linkname: '/etc/passwd' }]]), /"a" is neither file/],
    ['tar: a hard link', () => tar([['a', { type: 'link', linkname: 'b' }]]), /"a" is neither file/],
    ['tar: a device', () => tar([['a', { type: 'block-device' }]]), /"a" is neither file/],
    ['tar: a FIFO', () => tar([['a', { type: 'fifo' }]]), /"a" is neither file/],
    ['tar: case alone', () => tar([['B/a'], ['b/A']]), /"B\/" and "b\/" differ in nothing but case/],
    ['tar: twice the same', () => tar([['a'], ['a']]), /"a" is there twice/],
    ['tar: a bomb', () => gzipSync(Buffer.alloc(100 << 20)), /no whole tar\.gz archive/],
    ['tar: another bomb', () => tar([['a', {}, 'x'.repeat(5 << 20)]]), /"a" is larger than 1 MiB/],
    [
      'tar: cut off',
      async () => (await tar([['a', {}, 'x'.repeat(5000)]])).subarray(0, 40),
      /no whole tar\.gz archive/,
    ],
    ['tar: no archive in it', () => gzipSync(Buffer.alloc(2000, 'x')), /no whole tar\.gz archive/],
  ])('is refused: %s', async (_what, make, message) => {
    await expect(read(await make())).rejects.toThrow(message)
  })

  it('is read or refused, whatever its octets are', async () => {
    const whole = [
      await writeArchive(files({ 'a.vmm': 'x'.repeat(200), 'b/c': '' }), 'zip'),
      await tar([['a'], ['b']]),
    ]
    const change = fc.tuple(
      fc.constantFrom(...whole),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
    )
    await fc.assert(
      fc.asyncProperty(change, async ([octets, changes]) => {
        const changed = Buffer.from(octets)
        for (const [at, value] of changes) changed[at % changed.length] = value
        const outcome = await read(changed).then(
          (set) => [...set.files.values()].every((file) => file.length <= 1 << 20),
          (error: unknown) => error instanceof Error && error.message.startsWith('set'),
        )
        expect(outcome).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})
