import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Output } from '#agent/output.ts'
import type { AgentStatus } from '#agent/service/link-status.ts'
import { agentSockets, ownDirectory } from '#agent/service/runtime-directory.ts'
import { askAgents, status } from '#agent/service/status.ts'
import { serveStatus } from '#agent/service/status-server.ts'
import { ProtocolError } from '#net/base/errors.ts'
import { serveRpc } from '#net/base/rpc.ts'

let top = ''
let directory = ''
let env: NodeJS.ProcessEnv
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'runtime-'))
  directory = join(top, 'hconnect')
  env = { RUNTIME_DIRECTORY: `/run/hybridge/nic:${directory}` }
})
afterEach(() => rmSync(top, { recursive: true }))

const ports: AgentStatus['links'][number]['ports'] = []
const agent = (state: AgentStatus['links'][number]['state']): AgentStatus => ({
  pid: process.pid,
  version: '1',
  command: 'run',
  links: [
    {
      name: 'lab1',
      nic: 'eth1',
      bridges: ['private0'],
      hub: 'hub',
      address: '10.0.0.1',
      state,
      since: Date.now() - 61_000,
      roundTripMs: 1.25,
      connections: 1,
      reconnects: 2,
      attempt: 3,
      reason: state === 'connected' ? '' : 'the cable\u001b[31m is out',
      retryAt: null,
      ports,
      hasCaptureRing: false,
    },
  ],
})
const nobody = (): undefined => undefined
const refuse = (): never => {
  throw new ProtocolError('no', 'e\u001b]0;f\u0007')
}

/** Exit code and output of `hconnect status`. */
async function show(json = false): Promise<[number, string]> {
  const output = new Output(json)
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    const code = await status(env, output)
    return [code, write.mock.calls.map(([text]) => String(text)).join('')]
  } finally {
    write.mockRestore()
  }
}

it('is of the unit, of root, or of the user', () => {
  expect(ownDirectory(env, 7)).toBe(directory)
  expect(ownDirectory({ RUNTIME_DIRECTORY: 'hconnect' }, 0)).toBe('/run/hybridge/agent')
  expect(ownDirectory({ XDG_RUNTIME_DIR: '/run/user/7' }, 7)).toBe('/run/user/7/hybridge')
  expect(ownDirectory({}, 7)).toBeUndefined()
})

it('is closed to others, its sockets too, and nothing is left at the end', async () => {
  mkdirSync(directory)
  chmodSync(directory, 0o755)
  const log = vi.fn<(text: string) => void>()
  const server = await serveStatus(() => agent('connected'), nobody, env, log)
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  expect(readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777)).toEqual([
    0o600, 0o600,
  ])
  await server.close()
  expect(readdirSync(directory)).toEqual([])
  expect(log).not.toHaveBeenCalled()
})

it('says in text, as JSON and by its exit code how links are', async () => {
  expect(await show()).toEqual([3, 'no hconnect runs here\n'])
  let state: 'connected' | 'disconnected' = 'connected'
  const server = await serveStatus(
    () => agent(state),
    nobody,
    env,
    () => {},
  )
  const [code, text] = await show()
  expect(code).toBe(0)
  expect(text).toMatch(/^lab1 +eth1 +private0 +hub +connected +1m01s +1\.3 ms /m)
  state = 'disconnected'
  const [failed, reason] = await show()
  expect([failed, reason]).toEqual([1, expect.stringMatching(/^lab1: attempt 3: the cable \[31m is out$/m)])
  const [, json] = await show(true)
  expect(JSON.parse(json)).toMatchObject({
    agents: [{ pid: process.pid, links: [{ state: 'disconnected' }] }],
  })
  await server.close()
})

it('bears strangers: other answers, links, and what killed processes left', async () => {
  for (const path of [directory, join(top, 'link')]) mkdirSync(path, { mode: 0o700 })
  const stranger = await serveRpc(join(directory, '1-a.sock'), { status: () => ({ pid: 'x'.repeat(1000) }) })
  const named = await serveRpc(join(directory, '\u001b[2J.sock'), {})
  symlinkSync('/run/whatever', join(directory, '2-b.sock'))
  symlinkSync(directory, join(top, 'link', 'hconnect'))
  const stale = join(directory, '3-c.sock')
  spawnSync(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 9))`,
  ])
  expect(existsSync(stale)).toBe(true)
  expect(agentSockets(env)).toEqual([join(directory, '1-a.sock'), stale])
  expect(agentSockets({ RUNTIME_DIRECTORY: join(top, 'link', 'hconnect') })).toEqual([])
  const log = vi.fn<(text: string) => void>()
  expect(await askAgents(env, log)).toEqual([])
  expect(log.mock.calls).toEqual([[expect.stringContaining('no hconnect of this version')]])
  const server = await serveStatus(() => agent('connected'), nobody, env, log)
  expect(existsSync(stale)).toBe(false)
  await server.close()
  await Promise.all([stranger.close(), named.close()])
})

it('takes little from strangers, and tells nothing that a terminal would obey', async () => {
  mkdirSync(directory, { mode: 0o700 })
  const [link] = agent('failed').links
  const answer = { ...agent('failed'), links: [{ ...link, name: 'a\u001b[31mb', hub: 'c\u009bd' }] }
  const strangers = [
    await serveRpc(join(directory, '3-c.sock'), { status: () => 'x'.repeat(2 << 20) }),
    await serveRpc(join(directory, '1-a.sock'), { status: () => answer }),
    await serveRpc(join(directory, '2-b.sock'), { status: refuse }),
  ]
  const log = vi.fn<(text: string) => void>()
  const [found] = await askAgents(env, log)
  expect(found?.agent.links).toMatchObject([{ name: 'a [31mb', hub: 'c d' }])
  expect(log.mock.calls.flat().sort()).toEqual([
    `${join(directory, '2-b.sock')}: e ]0;f`,
    `${join(directory, '3-c.sock')}: a line is longer than 1048576 octets`,
  ])
  await Promise.all(strangers.map((stranger) => stranger.close()))
})
