// npm run package [-- --out DIR] [--fast] [--verify]: one executable file for each command, and the Debian package of
// both, into package/ or DIR. What is there is replaced when all of it is made. --fast: a package that is not
// compressed. --verify: installs it with apt in a Debian that debootstrap makes, and has agent and hub bridge there; root.
// The package's date is SOURCE_DATE_EPOCH (seconds), its maintainer DEBFULLNAME and DEBEMAIL.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { tsImport } from 'tsx/esm/api'
import { copyrightText } from './package/licences.mjs'
import { makeDeb } from './package/deb.mjs'
import { makeExecutable } from './package/executable.mjs'
import { COMMANDS } from './programs.mjs'

const { out, fast, verify } = parseArgs({
  options: {
    verify: { type: 'boolean', default: false },
    out: { type: 'string', default: 'package' },
    fast: { type: 'boolean', default: false },
  },
}).values
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const epoch = process.env['SOURCE_DATE_EPOCH']
const date = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000)
const made = `${out}.${process.pid}`
mkdirSync(made)
try {
  const node = `${made}/node`
  execFileSync('strip', ['-o', node, process.execPath], { stdio: 'pipe' })
  const parts = []
  for (const [name, command] of Object.entries(COMMANDS))
    parts.push(await makeExecutable(name, command, node, `${made}/${name}`))
  rmSync(node)
  const addons = Object.assign({}, ...parts.map((part) => part.addons))
  const files = parts.flatMap((part) => part.files)
  const { pages } = await tsImport('./package/pages.ts', import.meta.url)
  const texts = pages(version, date.toISOString().slice(0, 10))
  const copyright = { 'usr/share/doc/hybridge/copyright': copyrightText(files) }
  makeDeb(made, { version, date, addons, texts: { ...texts, ...copyright }, isFast: fast })
  for (const file of Object.values(addons)) rmSync(file)
  rmSync(out, { recursive: true, force: true })
  renameSync(made, out)
} finally {
  rmSync(made, { recursive: true, force: true })
}

if (verify) {
  execFileSync('node_modules/.bin/vitest', ['run', '--project', 'system', 'test/interop/package.test.ts'], {
    stdio: 'inherit',
    env: { ...process.env, PACKAGE_ROOT: 'debootstrap', PACKAGE_DIRECTORY: resolve(out) },
  })
}
