// One executable file of a command and the programs that it starts: Node, with a bundle and native addons in it.
// https://nodejs.org/docs/latest-v20.x/api/single-executable-applications.html
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { build, transform } from 'esbuild'
import { addons } from './addons.mjs'

const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
/** Where code that looks for files beside itself finds none, and nobody but root can put one. */
const NOWHERE = '/usr/lib/hybridge/nowhere'

/** Packages that others use when they are there; they are not, and nothing looks for them outside. */
const absent = {
  name: 'absent',
  setup({ onResolve, onLoad }) {
    const filter = /^(bufferutil|utf-8-validate|term\.js|pty\.js)$/
    onResolve({ filter }, ({ path }) => ({ path, namespace: 'absent' }))
    onLoad({ filter, namespace: 'absent' }, ({ path }) => ({ contents: `throw new Error('no ${path}')` }))
  },
}

/** Such a file's main script cannot be a module, so `await` outside functions goes into one. */
const entryInFunction = (entries) => ({
  name: 'entry in function',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (!entries.some((entry) => path.endsWith(`/${entry}`))) return undefined
      const { code } = await transform(readFileSync(path, 'utf8'), {
        loader: 'ts',
        target: 'node20',
        format: 'esm',
      })
      const imports = code.match(/^import [^;]*;$/gm) ?? []
      const rest = code
        .replace(/^import [^;]*;$/gm, '')
        .replace(/^#!.*/, '')
        .replace(/^export \{\s*\};$/m, '')
      return { contents: `${imports.join('\n')}\nvoid (async () => {${rest}})()` }
    })
  },
})

const entry = (path) => `() => import('./${path}')`

/**
 * @param name  of the command
 * @param node  the executable of Node to put it into
 * @param file  to make; addons without their symbols are left beside it
 * @returns the addons in it, name to file; the files that were bundled
 */
export async function makeExecutable(name, { main, programs }, node, file) {
  const assets = {}
  const list = Object.entries(programs).map(([key, path]) => `'${key}': ${entry(path)}`)
  const { metafile } = await build({
    stdin: {
      contents: `import { runExecutable } from '#net/program/executable.ts'
        runExecutable({ ${list.join(', ')} }, ${entry(main)})`,
      resolveDir: process.cwd(),
    },
    outfile: `${file}.cjs`,
    bundle: true,
    metafile: true,
    minifySyntax: true,
    minifyWhitespace: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    define: {
      'import.meta.url': 'moduleUrl',
      __dirname: `"${NOWHERE}"`,
      __filename: `"${NOWHERE}/${name}.cjs"`,
    },
    banner: { js: `const moduleUrl = 'file://${NOWHERE}/${name}.cjs';` },
    plugins: [absent, addons(dirname(file), assets), entryInFunction([main, ...Object.values(programs)])],
    logLevel: 'warning',
  })
  const config = {
    main: `${file}.cjs`,
    output: `${file}.blob`,
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    assets,
  }
  writeFileSync(`${file}.json`, JSON.stringify(config))
  quietly(process.execPath, ['--experimental-sea-config', `${file}.json`])
  copyFileSync(node, file)
  chmodSync(file, 0o755)
  quietly('node_modules/.bin/postject', [file, 'NODE_SEA_BLOB', `${file}.blob`, '--sentinel-fuse', FUSE])
  for (const suffix of ['cjs', 'blob', 'json']) rmSync(`${file}.${suffix}`)
  return { addons: assets, files: Object.keys(metafile.inputs).map((input) => input.replace(/^addon:/, '')) }
}

/** Shows what a program says only when it fails. */
function quietly(program, args) {
  execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
}
