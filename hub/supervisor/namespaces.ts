/** How a device's process gets user, network and mount namespaces of its own: unshare(1), without a shell. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { prepareRunDirectory, RUN_DIRECTORY } from '#net/port/nic/records-directory.ts'

/** Users and groups of a device: 0 is its root. */
export const IDS_OF_DEVICE = 65_536
const ID_MAP = `${RUN_DIRECTORY}/id-map`
const HELPERS = [
  ['newuidmap', 'uid_map'],
  ['newgidmap', 'gid_map'],
] as const

/**
 * unshare(1) has the tables of users and groups written by newuidmap(1), which knows what /etc/subuid grants to people.
 * The supervisor is root, and writes them itself: by programs of these names, in a directory that is root's alone, as
 * are those above it.
 */
export function prepareIdMapHelpers(): void {
  prepareRunDirectory()
  mkdirSync(ID_MAP, { recursive: true, mode: 0o700 })
  for (const [name, file] of HELPERS) {
    const script = `#!/bin/sh\npid=$1\nshift\nprintf '%s %s %s\\n' "$@" > "/proc/$pid/${file}"\n`
    // Another hub may be running it, or starting as well.
    const own = `${ID_MAP}/${name}.${process.pid}`
    writeFileSync(own, script, { mode: 0o700 })
    renameSync(own, `${ID_MAP}/${name}`)
  }
}

/**
 * What to run in place of `node ARGUMENTS`: the same process, root of its own namespaces.
 * @param firstId  outside, what is 0 inside, and the ids after it; undefined: only who runs this, as 0
 */
export function inOwnNamespaces(
  command: readonly string[],
  firstId: number | undefined,
): { command: string; arguments: string[]; path: string } {
  const map = (what: string): string => `--map-${what}=${firstId},0,${IDS_OF_DEVICE}`
  const ids =
    firstId === undefined ? ['--map-root-user'] : [map('users'), map('groups'), '--setuid=0', '--setgid=0']
  const system = process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin'
  return {
    command: 'unshare',
    arguments: ['--user', '--net', '--mount', ...ids, '--', ...command],
    path: firstId === undefined ? system : `${ID_MAP}:${system}`,
  }
}
