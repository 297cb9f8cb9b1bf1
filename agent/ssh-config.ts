/** What ssh's own configuration (`~/.ssh/config`) says about a host, as `ssh -G HOST` prints it. */
import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface SshConfig {
  readonly hostname: string | undefined
  /** Undefined also when it is 22, which is what ssh says of a host that it knows nothing about. */
  readonly port: number | undefined
  readonly user: string | undefined
  readonly identityFiles: readonly string[]
}

export const NO_SSH_CONFIG: SshConfig = {
  hostname: undefined,
  port: undefined,
  user: undefined,
  identityFiles: [],
}

const SSH_PORT = 22
const TIMEOUT_MS = 3000

/** Asks ssh; without ssh, or when it fails, nothing is set. */
export async function readSshConfig(host: string): Promise<SshConfig> {
  try {
    const { stdout } = await promisify(execFile)('ssh', ['-G', '--', host], {
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
      maxBuffer: 1 << 20,
    })
    return parseSshConfig(stdout, homedir())
  } catch {
    return NO_SSH_CONFIG
  }
}

/** Parses the output of `ssh -G`. */
export function parseSshConfig(output: string, home: string): SshConfig {
  const values = (name: string): string[] =>
    output
      .split('\n')
      .filter((line) => line.startsWith(`${name} `))
      .map((line) => line.slice(name.length + 1).trim())
  const port = Number(values('port')[0] ?? SSH_PORT)
  return {
    hostname: values('hostname')[0],
    port: port === SSH_PORT || !Number.isInteger(port) ? undefined : port,
    user: values('user')[0],
    identityFiles: values('identityfile').map((file) => expandHome(file, home)),
  }
}

/** `~/x` in the home folder. */
export const expandHome = (file: string, home: string): string =>
  file.startsWith('~/') ? join(home, file.slice(2)) : file
