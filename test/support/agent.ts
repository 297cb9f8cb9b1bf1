/** An agent in a namespace, dialling a hub of the same laboratory. */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Hub } from '#test/support/hub.ts'
import type { Namespace } from '#test/support/netns.ts'
import { AGENT_COMMAND, requireBuild } from '#test/support/product.ts'
import type { Running } from '#test/support/process.ts'

export interface AgentOptions {
  hub: Hub
  nic: string
  /** Default: `private0`; unless there is a map. */
  bridge?: string
  /** `VLAN=BRIDGE`. */
  map?: readonly string[]
  /** Name of the hub that is dialled; default: its address. */
  host?: string
  /** Of the hub, in place of name and port. */
  url?: string
  user?: string
  identity?: string
  knownHosts?: string
  /** Seconds between reports. */
  interval?: number
  json?: boolean
  /** Further arguments of `hconnect`. */
  args?: readonly string[]
  env?: NodeJS.ProcessEnv
}

export function agentArguments(namespace: Namespace, options: AgentOptions): string[] {
  const { hub, nic, user = hub.user, identity = hub.identity, interval = 1, host = hub.address } = options
  const { bridge = 'private0', map = [] } = options
  const { url = `${host}:${hub.port}` } = options
  const { knownHosts = join(mkdtempSync(join(namespace.directory, 'agent-')), 'known_hosts') } = options
  const hubFlags = `-u ${user} -s ${url} -n ${nic} --interval ${interval}`.split(' ')
  const bridges = map.length === 0 ? ['-b', bridge] : map.flatMap((text) => ['--map', text])
  const keyFlags = ['--identity', identity, '--known-hosts', knownHosts, '--accept-new']
  return [
    ...hubFlags,
    ...bridges,
    ...keyFlags,
    ...(options.json === true ? ['--json'] : []),
    ...(options.args ?? []),
  ]
}

/** Starts it without waiting; for agents that are expected to fail. */
function spawnAgent(namespace: Namespace, options: AgentOptions): Running {
  requireBuild()
  const args = [AGENT_COMMAND, ...agentArguments(namespace, options)]
  return namespace.spawn(process.execPath, args, options.env ? { env: options.env } : {})
}

/** Starts it and waits until it has its tunnel: its first report, or with `--json` what it says of that. */
export async function startAgent(namespace: Namespace, options: AgentOptions): Promise<Running> {
  const agent = spawnAgent(namespace, options)
  await agent.line(options.json === true ? /^\{"type":"connected"/ : /^Port 0002/, { deadlineMs: 15_000 })
  return agent
}
