/** How one of our programs starts another. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isSea } from 'node:sea'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Where the sources of the programs are that are started from the sources, too. */
const SOURCES: Record<string, string> = { 'hconnect-pcap': '../port/pcap/child.ts' }

/**
 * What `process.execPath` is given to run the program of that name; its own arguments follow. One executable file
 * holds all the programs that it starts (net/program/executable.ts); built programs lie beside each other; from the
 * sources tsx runs it.
 */
export function programArguments(name: string): string[] {
  if (isSea()) return [name]
  const here = import.meta.url
  const built = fileURLToPath(new URL(`${name}.js`, here))
  if (existsSync(built)) return [built]
  const tsx = pathToFileURL(createRequire(here).resolve('tsx')).href
  return ['--import', tsx, fileURLToPath(new URL(SOURCES[name] ?? '', here))]
}
