/** `hconnect status`: asks every hconnect of this machine that this user may ask. */
import type { Output } from '#agent/output.ts'
import { excerpt } from '#agent/excerpt.ts'
import { AgentStatus } from '#agent/service/link-status.ts'
import { agentSockets } from '#agent/service/runtime-directory.ts'
import { formatStatus } from '#agent/service/status-text.ts'
import { SystemError, reasonOf } from '#net/base/errors.ts'
import { RpcClient } from '#net/base/rpc.ts'

const TIMEOUT_MS = 3000
/** Octets of what one says: all links and ports that it may have take less. */
const MAX_ANSWER = 1 << 20

/** As those of systemctl: not connected is 1, nothing that runs 3. */
const ALL_CONNECTED = 0
const SOME_NOT = 1
const NONE_RUNS = 3

/** @returns the exit code */
export async function status(env: NodeJS.ProcessEnv, output: Output): Promise<number> {
  const agents = (await askAgents(env, output.log)).map(({ agent }) => agent)
  const links = agents.flatMap((agent) => agent.links)
  if (output.json) output.raw(`${JSON.stringify({ agents })}\n`)
  else output.text(agents.length === 0 ? 'no hconnect runs here\n' : formatStatus(agents, Date.now()))
  if (agents.length === 0) return NONE_RUNS
  return links.length > 0 && links.every(({ state }) => state === 'connected') ? ALL_CONNECTED : SOME_NOT
}

interface Answer {
  /** Of its socket. */
  readonly path: string
  readonly agent: AgentStatus
}

/** What each says of itself, by pid; one that does not answer is told to `log`. */
export async function askAgents(env: NodeJS.ProcessEnv, log: (text: string) => void): Promise<Answer[]> {
  const answers = await Promise.all(
    agentSockets(env).map(async (path) => {
      const agent = await ask(path, log)
      return agent === undefined ? [] : [{ path, agent }]
    }),
  )
  return answers.flat().sort((a, b) => a.agent.pid - b.agent.pid)
}

async function ask(path: string, log: (text: string) => void): Promise<AgentStatus | undefined> {
  const client = new RpcClient(path, { timeoutMs: TIMEOUT_MS, maxAnswer: MAX_ANSWER })
  try {
    const parsed = AgentStatus.safeParse(await client.call('status'))
    if (parsed.success) return parsed.data
    log(`${path}: what answers there is no hconnect of this version`)
  } catch (error) {
    // Of a process that was killed, or has just ended.
    const isGone = error instanceof SystemError && ['ECONNREFUSED', 'ENOENT'].includes(error.code)
    if (!isGone) log(`${path}: ${excerpt(reasonOf(error))}`)
  } finally {
    client.close()
  }
  return undefined
}
