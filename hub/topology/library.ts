/**
 * The hub's library: file sets under the names that they run under, topologies/NAME/set in the data directory, which is
 * the working directory. A set is replaced as a whole or not at all.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ProtocolError } from '#net/base/errors.ts'
import { TOPOLOGY_NAME } from '#hub/base/topology-plan.ts'
import { openSet } from '#hub/topology/open.ts'
import type { SetFiles } from '#hub/topology/set-files.ts'

const TOPOLOGIES = 'topologies'

/** What storing a set did. */
export type Stored = 'new' | 'same' | 'replaced'

/** @throws ProtocolError for what is no name of a topology */
export function setDirectory(name: string): string {
  if (TOPOLOGY_NAME.test(name)) return `${TOPOLOGIES}/${name}/set`
  throw new ProtocolError('bad-params', `${JSON.stringify(name)} is no name of a topology`)
}

export class TopologyLibrary {
  /** Puts back what a control process that ended while it replaced a set had moved away. */
  recover(): void {
    for (const name of directoriesIn(TOPOLOGIES)) {
      const set = `${TOPOLOGIES}/${name}/set`
      if (!existsSync(set) && existsSync(`${set}.old`)) renameSync(`${set}.old`, set)
      for (const rest of ['old', 'new']) rmSync(`${set}.${rest}`, { recursive: true, force: true })
    }
  }

  names(): string[] {
    return directoriesIn(TOPOLOGIES)
      .filter((name) => TOPOLOGY_NAME.test(name) && this.has(name))
      .toSorted()
  }

  has(name: string): boolean {
    return existsSync(setDirectory(name))
  }

  /** @throws ProtocolError `exists` when there is another set under that name, and it is not to be replaced */
  async store(name: string, set: SetFiles, replace: boolean): Promise<Stored> {
    const directory = setDirectory(name)
    const present = this.has(name)
    if (present && (await isSame(directory, set))) return 'same'
    if (present && !replace)
      throw new ProtocolError(
        'exists',
        `the library has another ${name} (--replace puts this one in its place, --name NAME beside it)`,
      )
    write(`${directory}.new`, set)
    if (present) renameSync(directory, `${directory}.old`)
    renameSync(`${directory}.new`, directory)
    rmSync(`${directory}.old`, { recursive: true, force: true })
    return present ? 'replaced' : 'new'
  }
}

function directoriesIn(path: string): string[] {
  if (!existsSync(path)) return []
  const entries = readdirSync(path, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

/** Whether the files there are those of the set; what cannot be read is not. */
async function isSame(directory: string, set: SetFiles): Promise<boolean> {
  const present = await openSet(directory).catch(() => undefined)
  if (present?.files.size !== set.files.size) return false
  return [...set.files].every(([path, octets]) => present.files.get(path)?.equals(octets))
}

function write(directory: string, set: SetFiles): void {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  for (const [path, octets] of set.files) {
    mkdirSync(dirname(`${directory}/${path}`), { recursive: true, mode: 0o700 })
    writeFileSync(`${directory}/${path}`, octets, { flag: 'wx', mode: 0o600 })
  }
}
