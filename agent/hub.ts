/** The way to the hub that the options settle: who it is, who we are, how to dial it. */
import { homedir } from 'node:os'

import type { ConfigFile } from '#agent/config-file.ts'
import { readPasswordFile } from '#agent/login/credential-file.ts'
import { Credentials } from '#agent/login/credentials.ts'
import { dial, type DialOptions, type HubConnection } from '#agent/link/dial.ts'
import { HostKeyCheck } from '#agent/login/host-key.ts'
import { settleTarget, type Arguments, type Target } from '#agent/options.ts'
import { agentSocketOf, knownHostsFilesOf, settleRoute } from '#agent/way/route.ts'
import { expandHome, readSshConfig } from '#agent/login/ssh-config.ts'
import { type Ask, terminalAsk } from '#agent/login/terminal.ts'

type DialHooks = Pick<DialOptions, 'onAddress' | 'onSocket' | 'onArrived' | 'onGreeted' | 'onNegotiated'> &
  Partial<Pick<DialOptions, 'ask'>>

export interface Hub {
  readonly target: Target
  /** Host that TCP connects to: the hub, or what is on the way to it. */
  readonly nearest: string
  /** What is on the way, for people: proxies, jump hosts, a WebSocket. */
  readonly steps: readonly string[]
  /** Dials; questions are asked the first time only, when `lastRoundTripMs` is undefined, or by the `ask` of `hooks`. */
  readonly dial: (
    lastRoundTripMs: number | undefined,
    signal: AbortSignal,
    hooks: DialHooks,
  ) => Promise<HubConnection>
}

/**
 * @param ask  who may be asked, at each dial that may ask
 * @throws ExitError, ConfigError
 */
export async function settleHub(
  given: Arguments,
  config: ConfigFile,
  env: NodeJS.ProcessEnv,
  log: (text: string) => void,
  ask: () => Ask | undefined = terminalAsk,
): Promise<Hub> {
  const args = withTrust(given, config)
  const sshConfig = (host: string) => readSshConfig(host, log)
  const target = await settleTarget(args, env, config, sshConfig)
  const { host, port, user, ssh } = target
  const { way, nearest, steps } = await settleRoute(target, { args, config, env, sshConfig, log })
  const credentials = new Credentials({
    user,
    identity: target.identity,
    identityFiles: target.identityFiles,
    agentSocket: agentSocketOf(ssh, env),
    password: env['HCONNECT_PASSWORD'] || passwordOf(config, env),
    log,
  })
  const hostKeys = new HostKeyCheck({
    host,
    port,
    alias: ssh.hostKeyAlias,
    files: knownHostsFilesOf(args, ssh),
    acceptNew: args.acceptNew,
    log,
  })
  return {
    target,
    nearest,
    steps,
    dial: (lastRoundTripMs, signal, hooks) =>
      dial({
        host,
        port,
        user,
        way,
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

/** Whose keys are trusted holds for each host on the way. */
function withTrust(args: Arguments, config: ConfigFile): Arguments {
  const file = config['known-hosts']
  return {
    ...args,
    knownHosts: args.knownHosts ?? (file === undefined ? undefined : expandHome(file, homedir())),
    acceptNew: args.acceptNew || config['accept-new'] === true,
  }
}
