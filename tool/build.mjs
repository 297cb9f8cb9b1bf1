// One ESM file for each command and process into dist/; dependencies stay in node_modules.
import { build } from 'esbuild'
import { chmod, rm } from 'node:fs/promises'

const entries = {
  hconnect: 'agent/main.ts',
  hybridge: 'hub/main.ts',
  'hybridge-control': 'hub/accounts/process.ts',
  'hybridge-fabric': 'hub/fabric/process.ts',
  'hybridge-gateway': 'hub/gateway/process.ts',
}
await rm('dist', { recursive: true, force: true })
await build({
  entryPoints: entries,
  outdir: 'dist',
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: true,
  splitting: true,
  logLevel: 'warning',
})
for (const name of ['hconnect', 'hybridge']) await chmod(`dist/${name}.js`, 0o755)
