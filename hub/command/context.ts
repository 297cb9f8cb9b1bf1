/** What a command may touch, so that tests can run it in their own process. */
import type { ReadStream, WriteStream } from 'node:tty'
import { defaultDataDirectory } from '#hub/base/data-directory.ts'
import type { PasswordCost } from '#hub/accounts/password.ts'

export interface Context {
  readonly stdin: NodeJS.ReadableStream | ReadStream
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream | WriteStream
  readonly env: NodeJS.ProcessEnv
  readonly version: string
  /** Of new password hashes; the default if absent. */
  readonly passwordCost?: PasswordCost
}

export const dataOf = (context: Context, data: string | undefined): string =>
  data ?? defaultDataDirectory(context.env)

export const print = (context: Context, text: string): void => {
  context.stdout.write(`${text}\n`)
}
