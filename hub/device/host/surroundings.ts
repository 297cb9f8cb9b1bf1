/** What the process of a device finds around it. */
import { readFileSync } from 'node:fs'
import { isSea } from 'node:sea'
import { dirname, resolve } from 'node:path'
import { DEVICE_DEPTH } from '#hub/base/device-paths.ts'

/** Of the executable in the Debian package (tool/package/deb.mjs). */
const LIBRARY = '../lib/hybridge'

/** Whether there are users besides root, user_namespaces(7). */
export function hasUsers(): boolean {
  const [, , count] = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/)
  return Number(count) > 1
}

/** The hub's own, as absolute paths: its programs, its data directory. */
export function secretsOfHub(): string[] {
  const { execPath } = process
  const programs = isSea()
    ? [execPath, resolve(dirname(execPath), LIBRARY)]
    : [dirname(process.argv[1] ?? execPath)]
  return [...programs, resolve('../'.repeat(DEVICE_DEPTH))]
}
