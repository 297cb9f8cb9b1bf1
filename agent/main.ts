#!/usr/bin/env node
/** The command `hconnect`. */
import { type ConfigFile, readConfig } from '#agent/config-file.ts'
import { EXIT_ENDED, EXIT_OTHER, EXIT_USAGE, ExitError } from '#agent/exit-codes.ts'
import { describeHconnect, parseArguments } from '#agent/options.ts'
import { Output } from '#agent/output.ts'
import { packageVersion } from '#agent/version.ts'
import { completionScript, SHELLS } from '#net/cli/completion.ts'
import { ConfigError, reasonOf } from '#net/base/errors.ts'

const LAST_WORDS_MS = 2000

const { env } = process
const output = new Output(process.argv.includes('--json'))
try {
  const version = packageVersion()
  const args = await parseArguments(process.argv.slice(2), version)
  if (args?.command === 'completion') {
    const shell = SHELLS.find((name) => name === args.shell) ?? 'bash'
    process.stdout.write(completionScript(shell, describeHconnect()))
  } else if (args !== undefined) {
    // Each loads what it needs only: `doctor` is to run where the native bindings are missing, and those that look at
    // this machine alone whatever the configuration file is like.
    const config = (): ConfigFile => readConfig(args.config, env)
    if (args.command === 'restore' || (args.command === 'doctor' && args.restore))
      (await import('#agent/restore.ts')).restore(args.nic, output)
    else if (args.command === 'doctor')
      process.exitCode = await (
        await import('#agent/doctor/doctor.ts')
      ).doctor(args, config(), env, output, version)
    else if (args.command === 'status')
      process.exitCode = await (await import('#agent/service/status.ts')).status(env, output)
    else if (args.command === 'capture')
      await (await import('#agent/service/capture.ts')).capture(args, env, output)
    else if (args.command === 'run' && args.check)
      await (await import('#agent/service/check.ts')).checkConfig(args, config(), env, output)
    else if (args.command === 'run')
      await (await import('#agent/service/run.ts')).run(args, config(), env, version)
    else if (args.command === 'list') await (await import('#agent/list.ts')).list(args, config(), env, output)
    else await (await import('#agent/connect.ts')).connect(args, config(), env, output, version)
  }
} catch (error) {
  process.exitCode = exitCodeOf(error)
  if (process.exitCode !== EXIT_ENDED) output.failure(reasonOf(error), process.exitCode)
  if (process.exitCode === EXIT_OTHER && !(error instanceof ExitError) && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`)
  }
}
// A question that nobody answers holds the terminal open; without one the process has ended before.
setTimeout(() => process.exit(), LAST_WORDS_MS).unref()

function exitCodeOf(error: unknown): number {
  if (error instanceof ExitError) return error.exitCode
  return error instanceof ConfigError ? EXIT_USAGE : EXIT_OTHER
}
