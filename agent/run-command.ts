/** Commands of the hub that print something and end. */
import type { HubConnection } from '#agent/link/dial.ts'
import { EXIT_OTHER, ExitError } from '#agent/exit-codes.ts'

/** What a command of the hub printed, and its exit status. */
export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  readonly status: number
}

const MAX_OUTPUT = 1 << 20

/** Runs a command of the hub to its end. @throws ExitError */
export async function run(hub: HubConnection, command: string, timeoutMs = 10_000): Promise<CommandResult> {
  const channel = await hub.exec(command)
  return new Promise((resolve, reject) => {
    const out: Buffer[] = []
    const err: Buffer[] = []
    let size = 0
    let status = 0
    const timer = setTimeout(() => fail('it does not answer in time'), timeoutMs)
    const fail = (reason: string): void => {
      clearTimeout(timer)
      hub.destroy()
      reject(new ExitError(EXIT_OTHER, `the hub's command failed: ${reason}`))
    }
    const keep = (list: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length
      if (size > MAX_OUTPUT) fail('it prints too much')
      else list.push(chunk)
    }
    channel.on('data', keep(out))
    channel.stderr.on('data', keep(err))
    channel.on('exit', (code: number | null) => {
      status = code ?? 255
    })
    // The hub's answer may have come whole before anybody listened: 'close' says the status again.
    channel.on('close', (code?: number | null) => {
      if (typeof code === 'number') status = code
      clearTimeout(timer)
      resolve({ stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString(), status })
    })
    channel.end()
  })
}
