/** Questions to the hub that nothing depends on: no answer, or a bad one, costs nothing but the answer. */
import type { ClientChannel } from 'ssh2'
import type { HubConnection } from '#agent/link/dial.ts'

const TIMEOUT_MS = 10_000
const MAX_OUTPUT = 1 << 20

export interface Answer {
  readonly stdout: string
  readonly status: number
}

/** Runs a command of the hub. @returns undefined when there is no whole answer in time; the connection goes on */
export function ask(hub: HubConnection, command: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    let opened: ClientChannel | undefined
    let isLate = false
    const end = (answer?: Answer): void => {
      clearTimeout(timer)
      resolve(answer)
    }
    const timer = setTimeout(() => {
      isLate = true
      if (opened !== undefined) drop(opened)
      end()
    }, TIMEOUT_MS)
    try {
      hub.tryExec(command, (error, channel) => {
        if (error !== undefined) return end({ stdout: '', status: 255 })
        opened = channel
        if (isLate) drop(channel)
        else read(channel, end)
      })
    } catch {
      end() // the connection has ended
    }
  })
}

function read(channel: ClientChannel, end: (answer?: Answer) => void): void {
  const chunks: Buffer[] = []
  let size = 0
  let status = 255
  channel.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= MAX_OUTPUT) chunks.push(chunk)
    else drop(channel)
  })
  channel.stderr.resume()
  channel.on('exit', (code: number | null) => {
    status = code ?? 255
  })
  channel.on('error', () => {}) // 'close' follows
  // The hub's answer may have come whole before anybody listened: 'close' says the status again.
  channel.on('close', (code?: number | null) => {
    if (typeof code === 'number') status = code
    end(size > MAX_OUTPUT ? undefined : { stdout: Buffer.concat(chunks).toString(), status })
  })
  channel.end()
}

/** Its 'close' comes when the hub has closed its side as well. */
function drop(channel: ClientChannel): void {
  channel.removeAllListeners('data')
  channel.on('error', () => {})
  channel.resume()
  channel.stderr.resume()
  channel.close()
}
