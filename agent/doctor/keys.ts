/** What there is to log in with: the ssh-agent, key files, a password. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs'

import { type Check, type Finding, failed, ok, warning } from '#agent/doctor/finding.ts'
import { fileReasonOf } from '#net/base/errors.ts'

interface KeyFile {
  readonly path: string
  /** Why it cannot be read; undefined: it can. */
  readonly problem: string | undefined
  /** Others than its owner may read or write it. */
  readonly isOpen: boolean
}

interface KeyFacts {
  /** --identity. */
  readonly identity: KeyFile | undefined
  /** The usual ones that exist. */
  readonly usual: readonly KeyFile[]
  readonly hasAgent: boolean
  readonly hasPassword: boolean
  /** A password can be asked for. */
  readonly isAsking: boolean
}

export function judgeKeys({ identity, usual, hasAgent, hasPassword, isAsking }: KeyFacts): Finding {
  const files = [...(identity === undefined ? [] : [identity]), ...usual]
  const readable = files.filter(({ problem }) => problem === undefined).map(({ path }) => path)
  const facts = { files: readable, hasAgent, hasPassword }
  if (identity?.problem !== undefined)
    return failed(
      `the identity ${identity.path} cannot be used: ${identity.problem}`,
      'give the private key file of a user of the hub that you may read: --identity FILE',
      facts,
    )
  const open = files.find(({ isOpen, problem }) => isOpen && problem === undefined)
  if (open !== undefined)
    return warning(`others than you may read ${open.path}`, `chmod 600 ${open.path}`, facts)
  const ways = [
    ...(hasAgent ? ['ssh-agent'] : []),
    ...readable,
    ...(hasPassword ? ['$HCONNECT_PASSWORD'] : []),
  ]
  if (ways.length > 0) return ok(ways.join(', '), facts)
  if (isAsking) return ok('no key: the password is asked for', facts)
  return warning(
    'no key, no password, and no terminal to ask for one',
    '--identity FILE, ssh-agent, or HCONNECT_PASSWORD',
    facts,
  )
}

function look(path: string): KeyFile {
  try {
    const { mode } = statSync(path)
    accessSync(path, constants.R_OK)
    const problem = /PRIVATE KEY|PuTTY-User-Key/.test(readFileSync(path, 'latin1').slice(0, 4096))
      ? undefined
      : 'it is no private key'
    return { path, problem, isOpen: (mode & 0o077) !== 0 }
  } catch (error) {
    return { path, problem: fileReasonOf(error), isOpen: false }
  }
}

const isUsable = ({ problem }: KeyFile): boolean => problem === undefined

export const keysCheck: Check = {
  name: 'keys',
  title: 'credentials',
  needs: ['hub'],
  run: ({ target, env, isAsking }) => {
    return judgeKeys({
      identity: target?.identity === undefined ? undefined : look(target.identity),
      usual: (target?.identityFiles ?? []).map(look).filter(isUsable),
      hasAgent: (env['SSH_AUTH_SOCK'] ?? '') !== '' && target?.ssh.identitiesOnly !== true,
      hasPassword: (env['HCONNECT_PASSWORD'] ?? '') !== '',
      isAsking,
    })
  },
}
