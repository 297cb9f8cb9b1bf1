// One ESM file for each command and process into dist/, with the dependencies in it: so a command starts in half the
// time that it takes to find them file by file. What is there is replaced when the new files are whole, so that a running
// hub can start its processes again at any time.
import { build } from 'esbuild'
import { chmod, rename, rm } from 'node:fs/promises'
import { COMMANDS } from './programs.mjs'

const entries = Object.fromEntries(
  Object.entries(COMMANDS).flatMap(([name, { main, programs }]) => [
    [name, main],
    ...Object.entries(programs),
  ]),
)
/** They have native addons, or load files of their own. */
const KEPT_APART = ['@node-rs/argon2', 'blessed', 'cap', 'koffi', 'libsql', 'pino-pretty', 'ssh2']
/** For dependencies that are CommonJS. */
const REQUIRE =
  "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);"
const made = `dist.${process.pid}`
await build({
  entryPoints: entries,
  outdir: made,
  bundle: true,
  external: KEPT_APART,
  banner: { js: REQUIRE },
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: true,
  splitting: true,
  logLevel: 'warning',
})
for (const name of Object.keys(COMMANDS)) await chmod(`${made}/${name}.js`, 0o755)
await rename('dist', `${made}.old`).catch(() => {})
await rename(made, 'dist')
await rm(`${made}.old`, { recursive: true, force: true })
