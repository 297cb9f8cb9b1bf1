/** The configuration files of a topology's hosts, checked as the devices will read them. */
import type { Diagnostics } from '#hub/topology/language/source.ts'
import type { Topology } from '#hub/topology/topology.ts'
import { linuxName } from '#hub/topology/interface-name.ts'
import { readHostConfiguration } from '#hub/topology/host-configuration.ts'

/** Has something to do with what the YAML parser takes for it. */
const MAX_FILE = 1 << 16

export function checkHostFiles(
  { devices }: Topology,
  read: (path: string) => string,
  diagnostics: Diagnostics,
): void {
  for (const { name, kind, configuration, interfaces } of devices) {
    if (kind !== 'host' || configuration?.path === undefined) continue
    const { path } = configuration
    const file = { name: path, text: read(path) }
    const at = (line: number, column: number) => ({ file, line, column, macro: '' })
    if (file.text.length > MAX_FILE) {
      diagnostics.error(at(1, 1), `the configuration of a host has at most ${MAX_FILE >> 10} KiB`)
      continue
    }
    const result = readHostConfiguration(
      file.text,
      interfaces.map((one) => linuxName(one.name)),
    )
    if ('value' in result) continue
    for (const { line, column, reason } of result.faults)
      diagnostics.error(at(line, column), `${name}: ${reason}`)
  }
}
