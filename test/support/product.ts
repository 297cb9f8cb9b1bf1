/** The built commands, as a user starts them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const DIST = join(import.meta.dirname, '../../dist')
export const HUB_COMMAND = join(DIST, 'hybridge.js')
export const AGENT_COMMAND = join(DIST, 'hconnect.js')

/** Fails with the remedy when the commands have not been built. */
export function requireBuild(): void {
  for (const file of [HUB_COMMAND, AGENT_COMMAND])
    if (!existsSync(file)) throw new Error(`${file} is missing: run \`npm run build\` first`)
}
