/**
 * Start of an executable file that holds a command and the programs that it starts (tool/package/executable.mjs). It
 * may have file capabilities that whoever calls it has not, so nothing of the caller's may become code of it: Node
 * leaves out its environment variables then, and takes no options of its own from the arguments of such a file. What is
 * left is SIGUSR1, which opens Node's inspector to everybody on the machine.
 */
import { writeSync } from 'node:fs'
import { url } from 'node:inspector'

type Program = () => Promise<unknown>

/** Runs the program that the first argument names, without that argument, else `main`. Each reads `process.argv`. */
export function runExecutable(programs: Readonly<Record<string, Program>>, main: Program): void {
  refuseInspector()
  const name = process.argv[2] ?? ''
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined
  if (program) process.argv.splice(2, 1)
  void (program ?? main)()
}

/** A handler takes the signal from Node. One that came before, and was kept for the start, has already opened it. */
function refuseInspector(): void {
  process.on('SIGUSR1', () => {})
  if (url() === undefined) return
  writeSync(2, 'ended: SIGUSR1 during the start would let others debug this program\n')
  process.kill(process.pid, 'SIGKILL')
}
