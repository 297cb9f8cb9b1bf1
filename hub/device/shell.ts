/** A shell on the device's console, started again when it ends. */
import { type ChildProcess, spawn } from 'node:child_process'

const PAUSE_MS = 1000

/** @returns ends it */
export function runShell(terminal: number): () => void {
  let shell: ChildProcess
  let timer: NodeJS.Timeout | undefined
  const start = (): void => {
    shell = spawn('setsid', ['--ctty', '--wait', 'sh', '-i'], { stdio: [terminal, terminal, terminal] })
    shell.on('error', () => {}) // 'close' follows
    shell.on('close', () => (timer = setTimeout(start, PAUSE_MS)))
  }
  start()
  return () => {
    clearTimeout(timer)
    shell.removeAllListeners('close')
    shell.kill('SIGHUP')
  }
}
