import { tmpdir } from 'node:os'
import type { ChildProcess } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { letGo, spawnAtGate } from '#hub/supervisor/gate.ts'

const start = (): ChildProcess =>
  spawnAtGate(['sh', '-c', 'echo "$$ runs in $PWD, says $(cat)."'], {
    cwd: tmpdir(),
    stdio: ['pipe', 'pipe'],
  })
const outputOf = async ({ stdout }: ChildProcess): Promise<string> => (stdout ? await text(stdout) : '')

it('lets a process go, which is the same and has nothing to read', async () => {
  const child = start()
  letGo(child)
  expect(await outputOf(child)).toBe(`${child.pid} runs in ${tmpdir()}, says .\n`)
})

it('ends a process whose starter ends before it lets it go', async () => {
  const child = start()
  child.stdin?.destroy()
  expect(await outputOf(child)).toBe('')
})
