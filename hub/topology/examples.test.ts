import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openTopology } from '#hub/topology/open.ts'
import { readTopology } from '#hub/topology/read.ts'

const EXAMPLES = readdirSync('examples', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

it('are told of on one page', () => {
  const page = readFileSync('examples/README.md', 'utf8')
  const told = [...page.matchAll(/\((.*)\/README\.md\)/g)].map(([, name]) => name)
  expect(new Set(told)).toEqual(new Set(EXAMPLES))
})

describe.each(EXAMPLES)('the example %s', (name) => {
  it('has nothing that the check would tell', async () => {
    const { file, set } = await openTopology(`examples/${name}`)
    const { topology, diagnostics } = readTopology(file, set)
    expect(diagnostics.list).toEqual([])
    expect(topology?.name).toBe(name)
  })

  it('says first how it is started', () => {
    const [, start] = /```sh\n(.*)/.exec(readFileSync(`examples/${name}/README.md`, 'utf8')) ?? []
    expect(start).toBe(`hybridge topology start examples/${name}`)
  })
})
