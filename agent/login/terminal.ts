/** Questions to the user, on the controlling terminal whatever stdin and stdout are. */
import { openSync, writeSync } from 'node:fs'
import { ReadStream } from 'node:tty'

import { EXIT_ENDED, ExitError } from '#agent/exit-codes.ts'

/** Asks and gives the answer. `hidden` shows nothing of what is typed. */
export type Ask = (question: string, hidden: boolean) => Promise<string>

const MAX_ANSWER = 1024

/** The terminal's `Ask`; undefined when there is no terminal. */
export function terminalAsk(path = '/dev/tty'): Ask | undefined {
  const probe = openTerminal(path)
  if (probe === undefined) return undefined
  probe.destroy()
  return (question, hidden) => askOn(path, question, hidden)
}

function openTerminal(path: string): (ReadStream & { fd: number }) | undefined {
  try {
    const fd = openSync(path, 'r+')
    return Object.assign(new ReadStream(fd), { fd })
  } catch {
    return undefined
  }
}

async function askOn(path: string, question: string, hidden: boolean): Promise<string> {
  const tty = openTerminal(path)
  if (tty === undefined) throw new ExitError(EXIT_ENDED, 'the terminal is gone')
  try {
    tty.setRawMode(true)
    writeSync(tty.fd, question)
    return await readLine(tty, hidden)
  } finally {
    tty.setRawMode(false)
    writeSync(tty.fd, '\n')
    tty.destroy()
  }
}

function readLine(tty: ReadStream & { fd: number }, hidden: boolean): Promise<string> {
  const line = new LineInput()
  return new Promise((resolve, reject) => {
    tty.setEncoding('utf8')
    tty.once('end', () => reject(new ExitError(EXIT_ENDED, 'the terminal is gone')))
    tty.once('error', reject)
    tty.on('data', (typed: string | Buffer) => {
      const shown = line.type(String(typed))
      if (!hidden && shown !== '') writeSync(tty.fd, shown)
      if (line.state === 'done') resolve(line.text)
      else if (line.state === 'cancelled') reject(new ExitError(EXIT_ENDED, 'ended on request'))
    })
  })
}

/** One line typed on a terminal in raw mode: Enter ends, Backspace and Ctrl-U erase, Ctrl-C and Ctrl-D cancel. */
export class LineInput {
  text = ''
  state: 'typing' | 'done' | 'cancelled' = 'typing'

  /** @returns what a terminal that echoes is to show. */
  type(typed: string): string {
    let shown = ''
    for (const key of typed) {
      if (this.state !== 'typing') break
      const code = key.codePointAt(0) ?? 0
      if (key === '\r' || key === '\n') this.state = 'done'
      else if (code === 3 || code === 4) this.state = 'cancelled'
      else if (code === 8 || code === 127) shown += this.#erase(1)
      else if (code === 21) shown += this.#erase(Infinity)
      else if (code >= 32 && this.text.length < MAX_ANSWER) {
        this.text += key
        shown += key
      }
    }
    return shown
  }

  #erase(count: number): string {
    const kept = Array.from(this.text)
    const left = Math.max(0, kept.length - count)
    this.text = kept.slice(0, left).join('')
    return '\b \b'.repeat(kept.length - left)
  }
}
