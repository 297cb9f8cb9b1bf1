/** Passwords from a terminal, without echo, or from a pipe. */
import type { ReadStream } from 'node:tty'
import { ConfigError } from '#net/base/errors.ts'
import { checkPassword } from '#hub/accounts/password.ts'
import type { Context } from '#hub/command/context.ts'

const MAX_LINE = 4096

/** One line of standard input without its end, or all of it. */
export async function readPasswordLine(context: Context): Promise<string> {
  let text = ''
  for await (const chunk of context.stdin) {
    text += String(chunk)
    if (text.includes('\n') || text.length > MAX_LINE) break
  }
  const [line = ''] = text.split(/\r?\n/)
  if (line === '') throw new ConfigError('no password on standard input')
  checkPassword(line)
  return line
}

/** Asks twice on the terminal. */
export async function askNewPassword(context: Context, user: string): Promise<string> {
  const { stdin } = context
  if (!isTerminal(stdin)) {
    throw new ConfigError(
      'give --key FILE.pub, --password-stdin, or run this on a terminal to be asked for a password',
    )
  }
  const password = await askHidden(stdin, context.stderr, `Password for ${user}: `)
  checkPassword(password)
  if ((await askHidden(stdin, context.stderr, 'Once more: ')) !== password) {
    throw new ConfigError('the two passwords differ')
  }
  return password
}

const isTerminal = (stream: NodeJS.ReadableStream | ReadStream): stream is ReadStream =>
  'isTTY' in stream && stream.isTTY

/** A line typed on a terminal in raw mode; Ctrl-C and Ctrl-D give up. */
function askHidden(input: ReadStream, output: NodeJS.WritableStream, prompt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = ''
    const finish = (): void => {
      input.off('data', take)
      input.setRawMode(false)
      input.pause()
      output.write('\n')
    }
    const take = (chunk: Buffer | string): void => {
      for (const key of String(chunk)) {
        if (key === '\r' || key === '\n') {
          finish()
          resolve(line)
          return
        }
        if (key === '\u0003' || key === '\u0004') {
          finish()
          reject(new ConfigError('given up'))
          return
        }
        if (key === '\u007f' || key === '\b') line = line.replace(/.$/su, '')
        else if (key === '\u0015') line = ''
        else if (key >= ' ' && line.length < MAX_LINE) line += key
      }
    }
    input.setRawMode(true)
    output.write(prompt)
    input.setEncoding('utf8')
    input.on('data', take)
    input.resume()
  })
}
