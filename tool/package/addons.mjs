// esbuild plugin: native addons become assets of the executable, by names that tell their content. Packages that look
// for theirs in many places, some of them told by the environment, are given the one.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

const { arch } = process
const inModules = (path) => resolve('node_modules', path)
const koffi = inModules(`@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`)
const libsql = inModules(`@libsql/linux-${arch}-gnu/index.node`)
const argon2 = inModules(`@node-rs/argon2-linux-${arch}-gnu/argon2.linux-${arch}-gnu.node`)

/** Replaces text that must be there. */
function replaced(file, text, by) {
  const source = readFileSync(file, 'utf8')
  if (!source.includes(text)) throw new Error(`${file} is not as expected: no "${text}"`)
  return source.replace(text, () => by)
}

const addon = (path, name = basename(path, '.node')) => ({ path, namespace: 'addon', pluginData: name })

/**
 * @param directory  for the addons without their symbols
 * @param assets  gets those that are needed, name to file
 */
export const addons = (directory, assets) => ({
  name: 'addons',
  setup(build) {
    build.onResolve({ filter: /\.node$/ }, ({ path, resolveDir }) => {
      const file = join(resolveDir, path)
      return existsSync(file) ? addon(file) : undefined
    })
    build.onResolve({ filter: /^koffi$/ }, () => ({ path: inModules('koffi/index.cjs') }))
    build.onResolve({ filter: /^@node-rs\/argon2$/ }, () => addon(argon2, 'argon2'))
    build.onResolve({ filter: /^hybridge:koffi$/ }, () => addon(koffi))
    build.onResolve({ filter: /^hybridge:libsql$/ }, () => addon(libsql, 'libsql'))
    build.onLoad({ filter: /koffi\/src\/koffi\/src\/static\.cjs$/ }, () => ({
      contents: "exports.loadStatic = () => require('hybridge:koffi')",
    }))
    build.onLoad({ filter: /libsql\/index\.js$/ }, ({ path }) => ({
      contents: replaced(path, '} = requireNative();', "} = require('hybridge:libsql');"),
    }))
    build.onLoad({ filter: /.*/, namespace: 'addon' }, ({ path, pluginData }) => {
      const stripped = `${directory}/${pluginData}.node`
      execFileSync('strip', ['--strip-unneeded', '-o', stripped, path])
      const hash = createHash('sha256').update(readFileSync(stripped)).digest('hex')
      const name = `${pluginData}-${hash.slice(0, 16)}.node`
      assets[name] = stripped
      const contents = `module.exports = require('#net/program/addon.ts').loadAddon('${name}')`
      return { contents, resolveDir: process.cwd() }
    })
  },
})
