/** A capture that goes to a file or to standard output until somebody ends it. */
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { ConfigError, fileReasonOf, ProtocolError, SystemError } from '#net/base/errors.ts'
import { captureSummary, type OpenCapture, passCapture } from '#net/capture/capture-client.ts'

interface Outputs {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
}

/** @param example  how it is piped @throws ConfigError when octets would go to a terminal */
export function refuseTerminal(file: string, stdout: NodeJS.WritableStream, example: string): void {
  if (file === '-' && 'isTTY' in stdout && stdout.isTTY === true)
    throw new ConfigError(
      `a capture is no text for a terminal: write it to a file, or pipe it, as \`${example}\``,
    )
}

/**
 * Runs until SIGINT, SIGTERM or the capture's own end.
 * @param file  `-`: standard output
 * @param target  what is captured, for people
 * @throws SystemError when it cannot be written, ProtocolError when the other side broke it off
 */
export async function saveCapture(
  capture: OpenCapture,
  file: string,
  target: string,
  { stderr, stdout }: Outputs,
): Promise<void> {
  const isFile = file !== '-'
  const output: NodeJS.WritableStream = isFile ? createWriteStream(file, { mode: 0o600 }) : stdout
  let failure: NodeJS.ErrnoException | undefined
  output.on('error', (error: NodeJS.ErrnoException) => (failure ??= error))
  const stop = (): void => {
    capture.socket.end()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  stderr.write(`capturing ${target}; Ctrl-C ends it\n`)
  const blocks = await passCapture(capture, output)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
  if (isFile && failure === undefined) {
    output.end()
    await finished(output).catch((error: NodeJS.ErrnoException) => (failure ??= error))
  }
  // A reader of a pipe that has seen enough is no failure.
  if (failure !== undefined && failure.code !== 'EPIPE')
    throw new SystemError(
      failure.code ?? 'EIO',
      `cannot write ${isFile ? file : 'standard output'}: ${fileReasonOf(failure)}`,
    )
  stderr.write(`${captureSummary(blocks)}\n`)
  if (!blocks.isComplete && failure === undefined)
    throw new ProtocolError('disconnected', 'the other side ended the capture; what came before is whole')
}
