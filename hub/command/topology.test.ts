import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { run } from '#hub/command/run.ts'

const GOOD = `#include "common.defs"
config "two" {
  vm "pc1" { CENTOS_LATEST install "ENV(HOME)/active/configset/pc1.conf" "/root/host.conf";
    interface "em0" { EXTERNAL; }; interface "em1" { bridge "private0"; }; };
};
`
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-topology-'))
  mkdirSync(join(directory, 'configset'))
  writeFileSync(join(directory, 'topology.vmm'), GOOD)
  writeFileSync(join(directory, 'configset/pc1.conf'), '')
})
afterEach(() => rmSync(directory, { recursive: true }))

async function hybridge(...args: string[]) {
  const text = { out: '', err: '' }
  const stream = (name: 'out' | 'err') =>
    new PassThrough().on('data', (chunk: Buffer) => (text[name] += chunk.toString()))
  const code = await run(['topology', ...args], {
    stdin: new PassThrough(),
    stdout: stream('out'),
    stderr: stream('err'),
    env: {},
    version: '1.2.3',
  })
  return { code, ...text }
}

describe('hybridge topology', () => {
  it('checks a file set', async () => {
    expect(await hybridge('check', directory)).toEqual({
      code: 0,
      err: '',
      out: `two: 1 device, 2 bridges
device  kind  interfaces                 configuration
pc1     host  em0=external em1=private0  pc1.conf
`,
    })
    const { out } = await hybridge('check', '--json', directory)
    expect(JSON.parse(out)).toMatchObject({
      name: 'two',
      devices: [{ name: 'pc1', configuration: { path: 'configset/pc1.conf' } }],
      bridges: [{ name: 'external' }, { name: 'private0', ports: [{ device: 'pc1', interface: 'em1' }] }],
    })
  })

  it('warns of what is missing in the set, but not in a file alone', async () => {
    rmSync(join(directory, 'configset/pc1.conf'))
    expect((await hybridge('check', directory)).err).toContain('topology.vmm:3:36: warning: ')
    expect(await hybridge('check', join(directory, 'topology.vmm'))).toMatchObject({ code: 0, err: '' })
  })

  it('fails with the errors and their lines', async () => {
    const file = join(directory, 'topology.vmm')
    writeFileSync(file, 'config "c" { vm "a" { FOO } };')
    expect(await hybridge('check', file)).toEqual({
      code: 2,
      out: '',
      err: `${file}:1:23: error: FOO is not defined: no included file has such a macro
    config "c" { vm "a" { FOO } };
                          ^
hybridge: ${file}: 1 error
`,
    })
  })

  it('formats, draws', async () => {
    const file = join(directory, 'topology.vmm')
    expect((await hybridge('format', file)).out).toContain('\n    vm "pc1" {')
    expect(readFileSync(file, 'utf8')).toBe(GOOD)
    await hybridge('format', '--write', file)
    expect(readFileSync(file, 'utf8')).toContain('\n    vm "pc1" {')
    expect((await hybridge('graph', directory)).out).toMatch(/^<svg [^]*<\/svg>\n$/)
    expect((await hybridge('graph', '--as', 'mermaid', directory)).out).toMatch(/^flowchart LR\n/)
  })

  it.each(['zip', 'tar.gz'])('packs a set as %s, which is then a set as well', async (kind) => {
    const archive = join(directory, `.two.${kind}`)
    const packed = await hybridge('pack', directory, archive)
    expect(packed).toMatchObject({ code: 0, err: '' })
    expect(packed.out).toContain('2 files')
    expect((await hybridge('check', archive)).out).toBe((await hybridge('check', directory)).out)
    expect(await hybridge('pack', directory, archive)).toMatchObject({
      code: 2,
      err: `hybridge: cannot write ${archive}: it is there already\n`,
    })
    expect((await hybridge('format', '--write', archive)).err).toContain('it is in an archive')
  })

  it.each([
    ['nothing there', () => rmSync(join(directory, 'topology.vmm')), 'has no topology file: topology.vmm'],
    [
      'a link',
      () => symlinkSync('/etc/passwd', join(directory, 'x.conf')),
      '"x.conf" is neither file nor directory',
    ],
    [
      'a large file',
      () => writeFileSync(join(directory, 'topology.vmm'), Buffer.alloc(2 << 20)),
      'is larger than 1 MiB',
    ],
    [
      'a large set',
      () => {
        for (let i = 0; i < 11; i++) writeFileSync(join(directory, `${i}.conf`), Buffer.alloc(1 << 20))
      },
      'is larger than 10 MiB',
    ],
    [
      'two topology files',
      () => {
        rmSync(join(directory, 'topology.vmm'))
        for (const name of ['a.vmm', 'b.vmm']) writeFileSync(join(directory, name), '')
      },
      'has several topology files (a.vmm, b.vmm): name one of them topology.vmm',
    ],
    [
      'many files',
      () => {
        for (let i = 0; i < 1001; i++) writeFileSync(join(directory, `${i}.conf`), '')
      },
      'has more than 1000 files',
    ],
  ])('refuses a directory with %s', async (_what, change, message) => {
    change()
    const { code, err } = await hybridge('check', directory)
    expect(code).toBe(2)
    expect(err).toContain(message)
  })
})
