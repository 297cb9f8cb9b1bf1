/** The way to the hub that the options settle: who it is, who we are, how to dial it. */
import { homedir } from 'node:os'

import type { ConfigFile } from '#agent/config-file.ts'
import { readPasswordFile } from '#agent/credential-file.ts'
import { Credentials } from '#agent/credentials.ts'
import { dial, type DialOptions, type HubConnection } from '#agent/dial.ts'
import { HostKeyCheck } from '#agent/host-key.ts'
import { defaultKnownHostsFiles } from '#agent/known-hosts-file.ts'
import { settleTarget, type Arguments, type Target } from '#agent/options.ts'
import { expandHome, readSshConfig } from '#agent/ssh-config.ts'
import { type Ask, terminalAsk } from '#agent/terminal.ts'

export interface Hub {
  readonly target: Target
  /** Dials; questions are asked the first time only, when `lastRoundTripMs` is undefined. */
  readonly dial: (
    lastRoundTripMs: number | undefined,
    signal: AbortSignal,
    hooks: Pick<DialOptions, 'onAddress' | 'onSocket'>,
  ) => Promise<HubConnection>
}

/**
 * @param ask  who may be asked, at each dial that may ask
 * @throws ExitError, ConfigError
 */
export async function settleHub(
  args: Arguments,
  config: ConfigFile,
  env: NodeJS.ProcessEnv,
  log: (text: string) => void,
  ask: () => Ask | undefined = terminalAsk,
): Promise<Hub> {
  const target = await settleTarget(args, env, config, readSshConfig)
  const { host, port, user } = target
  const credentials = new Credentials({
    user,
    identity: target.identity,
    identityFiles: target.identityFiles,
    agentSocket: env['SSH_AUTH_SOCK'] || undefined,
    password: env['HCONNECT_PASSWORD'] || passwordOf(config, env),
    log,
  })
  const knownHosts = args.knownHosts ?? config['known-hosts']
  const hostKeys = new HostKeyCheck({
    host,
    port,
    files: knownHosts === undefined ? defaultKnownHostsFiles() : [expandHome(knownHosts, homedir())],
    acceptNew: args.acceptNew || config['accept-new'] === true,
    log,
  })
  return {
    target,
    dial: (lastRoundTripMs, signal, hooks) =>
      dial({
        host,
        port,
        user,
        credentials,
        hostKeys,
        ask: lastRoundTripMs === undefined ? ask() : undefined,
        lastRoundTripMs,
        signal,
        ...hooks,
      }),
  }
}

function passwordOf(config: ConfigFile, env: NodeJS.ProcessEnv): string | undefined {
  const file = config['password-file']
  return file === undefined ? undefined : readPasswordFile(file, env)
}
