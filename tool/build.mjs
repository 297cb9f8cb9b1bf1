// One ESM file for each command and process into dist/; dependencies stay in node_modules. What is there is replaced
// when the new files are whole, so that a running hub can start its processes again at any time.
import { build } from 'esbuild'
import { chmod, rename, rm } from 'node:fs/promises'
import { COMMANDS } from './programs.mjs'

const entries = Object.fromEntries(
  Object.entries(COMMANDS).flatMap(([name, { main, programs }]) => [
    [name, main],
    ...Object.entries(programs),
  ]),
)
const made = `dist.${process.pid}`
await build({
  entryPoints: entries,
  outdir: made,
  bundle: true,
  packages: 'external',
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
