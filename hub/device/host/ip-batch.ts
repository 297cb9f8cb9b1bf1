/** Runs lines of ip(8) in one process; iproute2. */
import { spawn } from 'node:child_process'
import { reasonOf } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'

const PATIENCE_MS = 30_000
/** Of what it says, which may be a line for each of ours. */
const MOST_SAID = 1 << 16

/** All lines are run, whatever becomes of the others. @returns what could not be done, a text for each; never rejects */
export async function ipBatch(lines: readonly string[]): Promise<string[]> {
  if (lines.length === 0) return []
  try {
    return failuresOf(await run(lines), lines)
  } catch (error) {
    return [
      errnoOf(error) === 'ENOENT'
        ? 'addresses and routes cannot be set: there is no ip program (install iproute2 on the hub)'
        : `addresses and routes cannot be set: ${reasonOf(error)}`,
    ]
  }
}

function run(lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('ip', ['-force', '-batch', '-'], {
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
    })
    let said = ''
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (text: string) => {
      if (said.length < MOST_SAID) said += text
    })
    child.on('error', reject)
    child.on('close', (_code, signal) => {
      if (signal === null) resolve(said)
      else reject(new Error(`ip was ended by ${signal}`))
    })
    child.stdin.on('error', () => {}) // 'close' tells
    child.stdin.end(`${lines.join('\n')}\n`)
  })
}

/** `Error: Nexthop has invalid gateway.`, `RTNETLINK answers: File exists`, then `Command failed -:3`. */
function failuresOf(said: string, lines: readonly string[]): string[] {
  const failures: string[] = []
  let why: string[] = []
  for (const line of said.split('\n')) {
    const failed = /^Command failed -:(\d+)$/.exec(line)
    if (failed) {
      failures.push(`ip ${lines[Number(failed[1]) - 1] ?? ''}: ${why.join(' ') || 'refused'}`)
      why = []
    } else if (line !== '') why.push(line.replace(/^(?:Error|RTNETLINK answers): /, ''))
  }
  return failures
}
