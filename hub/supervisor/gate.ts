/**
 * Processes that wait to be let go, and end when who started them ends before: so none runs that is not written down
 * (pid-file.ts), which the next supervisor would not find.
 */
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'

/** The same process runs the command, once it is let go. @param options  with a pipe as its standard input */
export const spawnAtGate = (command: readonly string[], options: SpawnOptions): ChildProcess =>
  spawn('sh', ['-c', 'read -r go && exec "$@" </dev/null', 'sh', ...command], options)

export function letGo({ stdin }: ChildProcess): void {
  stdin?.on('error', () => {}) // it has ended, and its end says so
  stdin?.end('go\n')
}
