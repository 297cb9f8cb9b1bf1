// One ESM file for each command and process into dist/; dependencies stay in node_modules. What is there is replaced
// when the new files are whole, so that a running hub can start its processes again at any time.
import { build } from 'esbuild'
import { chmod, rename, rm } from 'node:fs/promises'

const entries = {
  hconnect: 'agent/main.ts',
  'hconnect-pcap': 'net/port/pcap/child.ts',
  hybridge: 'hub/main.ts',
  'hybridge-control': 'hub/accounts/process.ts',
  'hybridge-fabric': 'hub/fabric/process.ts',
  'hybridge-metrics': 'hub/metrics/process.ts',
  'hybridge-gateway': 'hub/gateway/process.ts',
}
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
for (const name of ['hconnect', 'hybridge']) await chmod(`${made}/${name}.js`, 0o755)
await rename('dist', `${made}.old`).catch(() => {})
await rename(made, 'dist')
await rm(`${made}.old`, { recursive: true, force: true })
