#!/usr/bin/env node
/** The `hybridge` command. */
import manifest from '#package' with { type: 'json' }
import { run } from '#hub/command/run.ts'

const { stdin, stdout, stderr, env } = process
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error // a reader that has seen enough (`| head`) is no failure
})
stderr.on('error', () => {}) // nobody left to tell
process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, env, version: manifest.version })
