#!/usr/bin/env node
/** The `hybridge` command. */
import { readFileSync } from 'node:fs'
import { run } from '#hub/command/run.ts'

// One folder up from both hub/main.ts and dist/hybridge.js.
const manifest: { version: string } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
)
const { stdin, stdout, stderr, env } = process
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error // a reader that has seen enough (`| head`) is no failure
})
stderr.on('error', () => {}) // nobody left to tell
process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, env, version: manifest.version })
