/** The version of the package that this program came in. */
import { readFileSync } from 'node:fs'

import { z } from 'zod'

/** package.json is one folder up, from the sources as from dist. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version
}
