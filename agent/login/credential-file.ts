/**
 * Files with secrets that the configuration names: by their path, or as `credential:NAME` what the service manager has
 * put into $CREDENTIALS_DIRECTORY (LoadCredential=, systemd.exec(5)).
 */
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

import { expandHome } from '#agent/login/ssh-config.ts'
import { ConfigError, reasonOf } from '#net/base/errors.ts'

const PREFIX = 'credential:'
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/
const READABLE_BY_OTHERS = 0o077
const LONGEST_PASSWORD = 1024

/** @throws ConfigError when there are no credentials */
export function secretPath(text: string, env: NodeJS.ProcessEnv): string {
  if (!text.startsWith(PREFIX)) return expandHome(text, homedir())
  const name = text.slice(PREFIX.length)
  if (!NAME.test(name)) throw new ConfigError(`${text}: expected the name of a credential`)
  const directory = env['CREDENTIALS_DIRECTORY']
  if (!directory)
    throw new ConfigError(
      `${text}: $CREDENTIALS_DIRECTORY is not set (add LoadCredential=${name}:/PATH to the unit, or name a file)`,
    )
  return join(directory, name)
}

/** The first line of a file that its owner alone may read. @throws ConfigError */
export function readPasswordFile(text: string, env: NodeJS.ProcessEnv): string {
  const path = secretPath(text, env)
  try {
    const { mode, size } = statSync(path)
    // A credential's directory is closed to others.
    if (!text.startsWith(PREFIX) && (mode & READABLE_BY_OTHERS) !== 0)
      throw new ConfigError(`others than its owner may read it: chmod 600 ${path}`)
    if (size > LONGEST_PASSWORD) throw new ConfigError('it is too long')
    const [password = ''] = readFileSync(path, 'utf8').split(/\r?\n/)
    if (password === '') throw new ConfigError('its first line is empty')
    return password
  } catch (error) {
    throw new ConfigError(`cannot take the password from ${path}: ${reasonOf(error)}`, { cause: error })
  }
}
