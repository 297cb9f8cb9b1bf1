/** Which way leads to the hub: proxy, jump hosts and WebSocket, as options, environment and ssh's configuration say. */
import { userInfo } from 'node:os'

import type { ConfigFile } from '#agent/config-file.ts'
import { Credentials } from '#agent/login/credentials.ts'
import { HostKeyCheck } from '#agent/login/host-key.ts'
import { formatHubAddress } from '#agent/hub-address.ts'
import { httpProxyWay } from '#agent/way/http-proxy.ts'
import { type Jump, type JumpText, jumpWay, parseJumps } from '#agent/way/jump.ts'
import { globalKnownHosts, userKnownHosts } from '#agent/login/known-hosts-file.ts'
import { type Arguments, identityFilesOf, orUsage, type Target } from '#agent/options.ts'
import { nameOfProxy, parseProxy, type ProxyAddress, webProxyOf } from '#agent/way/proxy-address.ts'
import { proxyLogin } from '#agent/way/proxy-login.ts'
import { socksWay } from '#agent/way/socks.ts'
import type { SshConfig } from '#agent/login/ssh-config.ts'
import { parseFingerprint, readAuthorities, type Trust } from '#agent/way/tls.ts'
import { directWay, type Way } from '#agent/way/way.ts'
import { webSocketWay } from '#agent/way/websocket-way.ts'
import { ConfigError } from '#net/base/errors.ts'

const JUMP_PORT = 22

export interface Route {
  readonly way: Way
  /** Host that TCP connects to. */
  readonly nearest: string
  /** What is on the way, for people, the nearest first; without names of users and passwords. */
  readonly steps: readonly string[]
}

export interface RouteSources {
  readonly args: Arguments
  readonly env: NodeJS.ProcessEnv
  readonly config: ConfigFile
  /** Is asked about jump hosts. */
  readonly sshConfig: (host: string) => Promise<SshConfig>
  readonly log: (text: string) => void
}

/** @throws ExitError, ConfigError */
export async function settleRoute(target: Target, sources: RouteSources): Promise<Route> {
  const { args, config, env } = sources
  const jumps = await settleJumps(target, sources)
  const first = jumps[0]?.host ?? target.host
  const proxy = settleProxy(target, first, sources)
  const fingerprint = args.fingerprint ?? config.fingerprint
  const isWeb = target.path !== undefined
  if (args.fingerprint !== undefined && !isWeb)
    throw new ConfigError('--fingerprint is that of a certificate: it goes with -s wss://HOST')
  const usesTls = isWeb || proxy?.kind === 'https'
  const ca = usesTls ? readAuthorities(args.ca ?? config.ca, env) : undefined
  const trust: Trust = {
    ca,
    fingerprint:
      fingerprint === undefined || !isWeb ? undefined : orUsage(() => parseFingerprint(fingerprint)),
  }
  let way: Way = directWay
  if (proxy !== undefined) way = proxyWay(proxy, ca, way)
  for (const jump of jumps) way = jumpWay(jump, way)
  if (target.path !== undefined) way = webSocketWay(target.path, trust, way)
  return { way, nearest: proxy?.host ?? first, steps: stepsOf(proxy, jumps, isWeb) }
}

function stepsOf(proxy: ProxyAddress | undefined, jumps: readonly Jump[], isWeb: boolean): string[] {
  return [
    ...(proxy === undefined ? [] : [`the ${proxy.kind} proxy ${nameOfProxy(proxy)}`]),
    ...jumps.map(({ host, port }) => `the jump host ${formatHubAddress(host, port)}`),
    ...(isWeb ? ['a WebSocket'] : []),
  ]
}

const proxyWay = (proxy: ProxyAddress, ca: string | undefined, below: Way): Way =>
  proxy.kind === 'socks5'
    ? socksWay(proxy, proxyLogin(proxy), below)
    : httpProxyWay(proxy, proxyLogin(proxy), { ca, fingerprint: undefined }, below)

function settleProxy(
  target: Target,
  first: string,
  { args, config, env, log }: RouteSources,
): ProxyAddress | undefined {
  if (args.proxy !== undefined) {
    const { proxy: text } = args
    const proxy = orUsage(() => parseProxy(text, '--proxy'))
    if (proxy?.password !== undefined)
      log('others can read the password of --proxy in the list of processes: use $HCONNECT_PROXY instead')
    return proxy
  }
  const own = env['HCONNECT_PROXY'] || undefined
  if (own !== undefined) return orUsage(() => parseProxy(own, '$HCONNECT_PROXY'))
  if (config.proxy !== undefined) return parseProxy(config.proxy, "the configuration file's proxy")
  if (target.path === undefined) return undefined
  const common = webProxyOf(env, first)
  return common && orUsage(() => parseProxy(common.text, common.source))
}

async function settleJumps(target: Target, sources: RouteSources): Promise<Jump[]> {
  const { args, config, sshConfig, log } = sources
  // A URL says itself how the hub is reached.
  const text = args.jump ?? config.jump ?? (target.path === undefined ? target.ssh.proxyJump : undefined)
  if (text === undefined) return []
  const written = orUsage(() => parseJumps(text))
  const jumps: Jump[] = []
  for (const jump of written) {
    const ssh = await sshConfig(jump.host)
    // As ssh has it: the others are reached through the one before.
    if (jumps.length === 0 && isSet(ssh.proxyJump))
      log(`ProxyJump of ssh's configuration for the jump host ${jump.host} is not followed: name all of them`)
    jumps.push(settleJump(jump, target, ssh, sources))
  }
  return jumps
}

const isSet = (proxyJump: string | undefined): boolean =>
  proxyJump !== undefined && proxyJump.toLowerCase() !== 'none'

function settleJump(jump: JumpText, target: Target, ssh: SshConfig, { args, env, log }: RouteSources): Jump {
  const host = ssh.hostname ?? jump.host
  const port = jump.port ?? ssh.port ?? JUMP_PORT
  const user = jump.user ?? ssh.user ?? userInfo().username
  return {
    host,
    port,
    user,
    credentials: new Credentials({
      user,
      at: `the jump host ${host}`,
      identity: target.identity,
      identityFiles: identityFilesOf(ssh),
      agentSocket: agentSocketOf(ssh, env),
      password: env['HCONNECT_JUMP_PASSWORD'] || undefined,
      log,
    }),
    hostKeys: new HostKeyCheck({
      host,
      port,
      alias: ssh.hostKeyAlias,
      what: 'jump host',
      files: knownHostsFilesOf(args, ssh),
      acceptNew: args.acceptNew,
      log,
    }),
  }
}

/** Of the ssh-agent that is to be asked. */
export function agentSocketOf(ssh: SshConfig, env: NodeJS.ProcessEnv): string | undefined {
  if (ssh.identitiesOnly || ssh.identityAgent === 'none') return undefined
  const { identityAgent = '$SSH_AUTH_SOCK' } = ssh
  return (identityAgent.startsWith('$') ? env[identityAgent.slice(1)] : identityAgent) || undefined
}

/** Read in this order; the first is the one that new keys go to. */
export const knownHostsFilesOf = (args: Arguments, ssh: SshConfig): readonly string[] =>
  args.knownHosts === undefined
    ? [...(ssh.userKnownHosts ?? userKnownHosts()), ...(ssh.globalKnownHosts ?? globalKnownHosts)]
    : [args.knownHosts]
