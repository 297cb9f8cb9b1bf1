/** Where the package of the running program lies, for remedies: the folder over that of its script. */
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'

export function packageDirectory(script: string = process.argv[1] ?? process.execPath): string {
  try {
    return dirname(dirname(realpathSync(script)))
  } catch {
    return dirname(dirname(script))
  }
}
