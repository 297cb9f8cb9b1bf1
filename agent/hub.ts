/** The way to the hub that the options settle: who it is, who we are, how to dial it. */
import type { ConfigFile } from '#agent/config-file.ts'
import { Credentials } from '#agent/credentials.ts'
import { dial, type DialOptions, type HubConnection } from '#agent/dial.ts'
import { HostKeyCheck } from '#agent/host-key.ts'
import { defaultKnownHostsFiles } from '#agent/known-hosts-file.ts'
import { settleTarget, type Arguments, type Target } from '#agent/options.ts'
import { readSshConfig } from '#agent/ssh-config.ts'
import { terminalAsk } from '#agent/terminal.ts'

type DialHooks = Pick<DialOptions, 'onAddress' | 'onSocket' | 'onGreeted' | 'onNegotiated'> &
  Partial<Pick<DialOptions, 'ask'>>

export interface Hub {
  readonly target: Target
  /** Dials; questions are asked the first time only, when `lastRoundTripMs` is undefined, or by the `ask` of `hooks`. */
  readonly dial: (
    lastRoundTripMs: number | undefined,
    signal: AbortSignal,
    hooks: DialHooks,
  ) => Promise<HubConnection>
}

/** @throws ExitError, ConfigError */
export async function settleHub(
  args: Arguments,
  config: ConfigFile,
  env: NodeJS.ProcessEnv,
  log: (text: string) => void,
): Promise<Hub> {
  const target = await settleTarget(args, env, config, readSshConfig)
  const { host, port, user } = target
  const credentials = new Credentials({
    user,
    identity: target.identity,
    identityFiles: target.identityFiles,
    agentSocket: env['SSH_AUTH_SOCK'] || undefined,
    password: env['HCONNECT_PASSWORD'] || undefined,
    log,
  })
  const hostKeys = new HostKeyCheck({
    host,
    port,
    files: args.knownHosts === undefined ? defaultKnownHostsFiles() : [args.knownHosts],
    acceptNew: args.acceptNew,
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
        ask: lastRoundTripMs === undefined ? terminalAsk() : undefined,
        lastRoundTripMs,
        signal,
        ...hooks,
      }),
  }
}
