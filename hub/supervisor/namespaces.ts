/** How a device's process gets user, network and mount namespaces of its own: unshare(1), without a shell. */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { prepareRunDirectory, RUN_DIRECTORY } from '#net/port/nic/records-directory.ts'

/** Users and groups of a device: 0 is its root. */
export const IDS_OF_DEVICE = 65_536
const ID_MAP = `${RUN_DIRECTORY}/id-map`
const HELPERS = [
  ['newuidmap', 'uid_map'],
  ['newgidmap', 'gid_map'],
] as const

/** linux/capability.h */
const CAP_SYS_ADMIN = 21n

/**
 * unshare(1) has the tables of users and groups written by newuidmap(1), which knows what /etc/subuid grants to people.
 * A root's hub has them written by programs of these names, in a directory that only root writes to, as are those above
 * it.
 */
export function prepareIdMapHelpers(): void {
  prepareRunDirectory()
  mkdirSync(ID_MAP, { recursive: true })
  chmodSync(ID_MAP, 0o755)
  for (const [name, file] of HELPERS) {
    const script = `#!/bin/sh\npid=$1\nshift\nprintf '%s %s %s\\n' "$@" > "/proc/$pid/${file}"\n`
    // Another hub may be running it, or starting as well.
    const own = `${ID_MAP}/${name}.${process.pid}`
    writeFileSync(own, script)
    chmodSync(own, 0o755)
    renameSync(own, `${ID_MAP}/${name}`)
  }
}

/**
 * What to run in place of `node ARGUMENTS`: the same process, root of its own namespaces. Who makes a user namespace
 * pays for what is used up in it, of inotify instances for one, ucounts in user_namespaces(7): a device itself, not root.
 * @param firstId  outside, what is 0 inside, and the ids after it; undefined: only who runs this, as 0
 */
export function inOwnNamespaces(
  command: readonly string[],
  firstId: number | undefined,
): { command: string; arguments: string[]; path: string } {
  const system = process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin'
  const unshare = (...ids: string[]): string[] => ['--user', '--net', '--mount', ...ids, '--', ...command]
  if (firstId === undefined)
    return { command: 'unshare', arguments: unshare('--map-root-user'), path: system }
  const rights = rightsToMake()
  const become = [`--reuid=${firstId}`, `--regid=${firstId}`, '--clear-groups']
  const keep = [`--inh-caps=${rights}`, `--ambient-caps=${rights}`]
  const map = (what: string): string => `--map-${what}=${firstId},0,${IDS_OF_DEVICE}`
  const ids = [map('users'), map('groups'), '--setuid=0', '--setgid=0']
  return {
    command: 'setpriv',
    arguments: [...become, ...keep, '--', 'unshare', ...unshare(...ids)],
    path: `${ID_MAP}:${system}`,
  }
}

/** To write the tables of ids; and to make namespaces, where the machine leaves that to root, unless a container does. */
function rightsToMake(): string {
  const [, effective] = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? []
  const isAdmin = ((BigInt(`0x${effective ?? '0'}`) >> CAP_SYS_ADMIN) & 1n) === 1n
  return `-all,+setuid,+setgid${isAdmin ? ',+sys_admin' : ''}`
}
