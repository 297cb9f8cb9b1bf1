/** The table has teeth: a switch with any of the listed faults fails a row of it. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { compileFunction } from 'node:vm'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { type Mutation, MUTATIONS } from '#test/conformance/mutations.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Table and switch as one program, with an edit or without. @returns the first row that fails */
async function firstFailure(mutation?: Mutation): Promise<string> {
  let edits = 0
  const bundle = await build({
    entryPoints: [join(import.meta.dirname, 'first-failure.ts')],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    packages: 'external',
    plugins: [
      {
        name: 'mutation',
        setup: (bundler) => {
          bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
            if (mutation === undefined || path !== join(ROOT, mutation.file)) return undefined
            const parts = readFileSync(path, 'utf8').split(mutation.from)
            edits = parts.length - 1
            return { contents: parts.join(mutation.to), loader: 'ts' }
          })
        },
      },
    ],
  })
  if (mutation !== undefined && edits !== 1)
    throw new Error(`${mutation.file} has "${mutation.from}" ${edits} times: the edit must say another text`)
  const module: { exports: { firstFailure?: () => string } } = { exports: {} }
  const program = bundle.outputFiles[0]?.text ?? ''
  compileFunction(program, ['module', 'exports', 'require'])(
    module,
    module.exports,
    createRequire(import.meta.url),
  )
  return module.exports.firstFailure?.() ?? 'not run'
}

describe('the table', () => {
  it('passes the switch as it is', async () => {
    expect(await firstFailure()).toBe('')
  })

  it.each(MUTATIONS)('fails a switch where $name', async (mutation) => {
    expect(await firstFailure(mutation)).toMatch(/leaves/)
  })
})
