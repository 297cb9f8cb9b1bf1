/** A topology, read for a command. */
import { ConfigError } from '#net/base/errors.ts'
import type { Context } from '#hub/command/context.ts'

/** Reads a topology, tells on stderr what is wrong with it. @returns it @throws ConfigError when there are errors */
export async function readChecked(context: Context, path: string) {
  const { openTopology } = await import('#hub/topology/open.ts')
  const { readTopology } = await import('#hub/topology/read.ts')
  const { formatDiagnostic } = await import('#hub/topology/language/source.ts')
  const { file, set } = await openTopology(path)
  const { topology, diagnostics } = readTopology(file, set)
  for (const diagnostic of diagnostics.list) context.stderr.write(`${formatDiagnostic(diagnostic)}\n`)
  if (topology !== undefined) return topology
  throw new ConfigError(
    `${file.name}: ${diagnostics.errors} ${diagnostics.errors === 1 ? 'error' : 'errors'}`,
  )
}
