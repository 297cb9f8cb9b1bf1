/** `hconnect` as a script starts it: without a terminal, and without the keys and settings of whoever runs the tests. */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Namespace } from '#test/support/netns.ts'
import { finish } from '#test/support/process.ts'
import type { Finished, RunOptions, Running } from '#test/support/process.ts'
import { AGENT_COMMAND, requireBuild } from '#test/support/product.ts'

export function spawnHconnect(
  from: Namespace,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Running {
  requireBuild()
  const home = mkdtempSync(join(from.directory, 'home-'))
  // A session of its own has no terminal to ask on.
  return from.spawn('setsid', ['--wait', process.execPath, AGENT_COMMAND, ...args], {
    env: { HOME: home, XDG_CONFIG_HOME: home, SSH_AUTH_SOCK: '', HCONNECT_PASSWORD: '', ...env },
  })
}

/** Runs it to its end, whatever its exit code. */
export function runHconnect(
  from: Namespace,
  args: readonly string[],
  { env = {}, ...options }: RunOptions = {},
): Promise<Finished> {
  return finish(spawnHconnect(from, args, env), { check: false, ...options })
}
