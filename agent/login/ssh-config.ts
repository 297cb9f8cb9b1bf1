/** What ssh's own configuration (`~/.ssh/config`) says about a host, as `ssh -G HOST` prints it: ssh_config(5). */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { excerpt } from '#agent/excerpt.ts'
import { errnoOf, textOr } from '#net/base/unknown.ts'

export interface SshConfig {
  readonly hostname: string | undefined
  /** Undefined also when it is 22, which is what ssh says of a host that it knows nothing about. */
  readonly port: number | undefined
  readonly user: string | undefined
  readonly identityFiles: readonly string[]
  /** No other keys than those of `identityFiles`. */
  readonly identitiesOnly: boolean
  /** Socket of the ssh-agent, `$NAME` of an environment variable, or `none`; undefined: `$SSH_AUTH_SOCK`. */
  readonly identityAgent: string | undefined
  /** As `--jump` takes it. */
  readonly proxyJump: string | undefined
  /** Name of the host in known_hosts. */
  readonly hostKeyAlias: string | undefined
  /** Undefined: the usual ones. */
  readonly userKnownHosts: readonly string[] | undefined
  readonly globalKnownHosts: readonly string[] | undefined
  /** What is set and not followed, as ssh names it. */
  readonly ignored: readonly string[]
}

export const NO_SSH_CONFIG: SshConfig = {
  hostname: undefined,
  port: undefined,
  user: undefined,
  identityFiles: [],
  identitiesOnly: false,
  identityAgent: undefined,
  proxyJump: undefined,
  hostKeyAlias: undefined,
  userKnownHosts: undefined,
  globalKnownHosts: undefined,
  ignored: [],
}

const SSH_PORT = 22
const TIMEOUT_MS = 3000
/** That say how the host is reached or who we are, and what ssh prints when they are not set. */
const NOT_FOLLOWED: readonly (readonly [name: string, keyword: string, unset: string])[] = [
  ['ProxyCommand', 'proxycommand', 'none'],
  ['AddressFamily', 'addressfamily', 'any'],
  ['BindAddress', 'bindaddress', 'none'],
  ['BindInterface', 'bindinterface', 'none'],
  ['CertificateFile', 'certificatefile', 'none'],
  ['PKCS11Provider', 'pkcs11provider', 'none'],
  ['KnownHostsCommand', 'knownhostscommand', 'none'],
]

const GLOBAL_KNOWN_HOSTS = '/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2'

/** Asks ssh; without ssh, or when it fails, nothing is set, and `log` is told where that matters. */
export async function readSshConfig(host: string, log: (text: string) => void): Promise<SshConfig> {
  try {
    const { stdout } = await promisify(execFile)('ssh', ['-G', '--', host], {
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
      maxBuffer: 1 << 20,
    })
    const config = parseSshConfig(stdout, homedir(), userInfo().homedir)
    if (config.ignored.length > 0)
      log(
        `${config.ignored.join(', ')} of ssh's configuration for ${host} ${config.ignored.length > 1 ? 'are' : 'is'} ` +
          'not followed; ways out are --jump, --proxy and wss://',
      )
    return config
  } catch (error) {
    const file = join(homedir(), '.ssh/config')
    if (errnoOf(error) === 'ENOENT') {
      if (existsSync(file))
        log(`${file} is not followed: there is no ssh to read it (install openssh-client)`)
    } else {
      const said = error instanceof Error && 'stderr' in error ? textOr(error.stderr, '').trim() : ''
      log(`ssh's configuration is not followed: ${excerpt(said.split('\n')[0] || 'ssh -G failed')}`)
    }
    return NO_SSH_CONFIG
  }
}

/**
 * Parses the output of `ssh -G`.
 * @param home  of the user, for `~`
 * @param sshHome  what ssh takes for it, whatever `$HOME` says
 */
export function parseSshConfig(output: string, home: string, sshHome = home): SshConfig {
  const values = (name: string): string[] =>
    output
      .split('\n')
      .filter((line) => line.startsWith(`${name} `))
      .map((line) => line.slice(name.length + 1).trim())
  const files = (name: string, usual: string): string[] | undefined => {
    const [text = usual] = values(name)
    if (text === usual) return undefined
    return text
      .split(/\s+/)
      .filter((file) => file !== 'none')
      .map((file) => expandHome(file, home))
  }
  const ssh = join(sshHome, '.ssh')
  const port = Number(values('port')[0] ?? SSH_PORT)
  return {
    hostname: values('hostname')[0],
    port: port === SSH_PORT || !Number.isInteger(port) ? undefined : port,
    user: values('user')[0],
    identityFiles: values('identityfile').map((file) => expandHome(file, home)),
    identitiesOnly: values('identitiesonly')[0] === 'yes',
    identityAgent: agentOf(values('identityagent')[0], home),
    proxyJump: values('proxyjump')[0],
    hostKeyAlias: values('hostkeyalias')[0],
    userKnownHosts: files('userknownhostsfile', `${ssh}/known_hosts ${ssh}/known_hosts2`),
    globalKnownHosts: files('globalknownhostsfile', GLOBAL_KNOWN_HOSTS),
    ignored: NOT_FOLLOWED.filter(([, keyword, unset]) =>
      values(keyword).some((value) => value !== unset),
    ).map(([name]) => name),
  }
}

const agentOf = (value: string | undefined, home: string): string | undefined =>
  value === undefined || value === 'SSH_AUTH_SOCK' ? undefined : expandHome(value, home)

/** `~/x` in the home folder. */
export const expandHome = (file: string, home: string): string =>
  file.startsWith('~/') ? join(home, file.slice(2)) : file
