/** `hybridge capture ...`: what passes a port of the running hub, as a capture file. */
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { getSystemErrorMap } from 'node:util'
import type { CommandModule } from 'yargs'
import { ConfigError, ProtocolError, SystemError } from '#net/base/errors.ts'
import { FILE } from '#net/cli/values.ts'
import { captureSummary, type OpenCapture, openCapture, passCapture } from '#hub/base/capture-client.ts'
import {
  type CaptureRequest,
  captureRequest,
  captureTarget,
  type CaptureWords,
} from '#hub/base/capture-request.ts'
import { inDataDirectory } from '#hub/command/ask-hub.ts'
import type { Context } from '#hub/command/context.ts'

interface Capture extends CaptureWords {
  readonly write: string
  readonly data?: string | undefined
  readonly snaplen?: string | undefined
  readonly duration?: string | undefined
}

export const captureCommand = (context: Context): CommandModule<object, Capture> => ({
  command: 'capture <bridge> [port]',
  describe: 'Watch a port, or a whole bridge, as a pcapng capture',
  builder: (yargs) =>
    yargs
      .positional('bridge', { type: 'string', demandOption: true, describe: 'Name of the bridge' })
      .positional('port', { type: 'string', describe: 'Only this port (a number of show ports)' })
      .option('filter', {
        type: 'string',
        requiresArg: true,
        describe: 'As of tcpdump: "host 10.0.0.1 and tcp port 80"',
      })
      .option('write', {
        ...FILE,
        alias: 'w',
        type: 'string',
        requiresArg: true,
        default: '-',
        describe: 'File, 0600 if new; -: standard output',
      })
      .option('count', {
        alias: 'c',
        type: 'string',
        requiresArg: true,
        describe: 'End after so many packets',
      })
      .option('snaplen', {
        alias: 's',
        type: 'string',
        requiresArg: true,
        describe: 'Octets kept of each packet (all)',
      })
      .option('direction', {
        type: 'string',
        requiresArg: true,
        describe: 'in, out or both, as the switch sees it (a port: both; a bridge: in, and drops)',
      })
      .option('drops', {
        type: 'boolean',
        default: false,
        describe: 'Only what was dropped; why is its comment',
      })
      .option('duration', { type: 'string', requiresArg: true, describe: 'End after so many seconds' })
      .example('$0 capture private0 | wireshark -k -i -', 'all that comes into a bridge, live')
      .example('$0 capture private0 3 --filter "arp or icmp" | tcpdump -r -', 'of port 3')
      .example('$0 capture private0 --drops -c 10 -w drops.pcapng', 'what is lost, and why')
      .epilogue('Ctrl-C ends it; the file is whole then.'),
  handler: async ({ data, write, snaplen, duration, ...words }) => {
    const request = captureRequest({ ...words, snap: snaplen, seconds: duration }, '')
    if (write === '') throw new ConfigError('-w needs the name of a file, or - for standard output')
    const { stdout } = context
    if (write === '-' && 'isTTY' in stdout && stdout.isTTY)
      throw new ConfigError(
        'a capture is no text for a terminal: write it to a file with -w FILE, or pipe it, as `hybridge capture ... | tcpdump -r -`',
      )
    const capture = await inDataDirectory(context, data, () => openCapture(request))
    await run(context, capture, request, write)
  },
})

async function run(
  context: Context,
  capture: OpenCapture,
  request: CaptureRequest,
  file: string,
): Promise<void> {
  const { stderr, stdout } = context
  const isFile = file !== '-'
  const output: NodeJS.WritableStream = isFile ? createWriteStream(file, { mode: 0o600 }) : stdout
  let failure: NodeJS.ErrnoException | undefined
  output.on('error', (error: NodeJS.ErrnoException) => (failure ??= error))
  const stop = (): void => {
    capture.socket.end()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  stderr.write(`capturing ${captureTarget(request)}; Ctrl-C ends it\n`)
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
      `cannot write ${isFile ? file : 'standard output'}: ${textOf(failure)}`,
    )
  stderr.write(`${captureSummary(blocks)}\n`)
  if (!blocks.isComplete && failure === undefined)
    throw new ProtocolError('disconnected', 'the hub ended the capture; what came before is whole')
}

/** `no such file or directory`, without what Node says around it. */
const textOf = ({ errno = 0, message }: NodeJS.ErrnoException): string =>
  getSystemErrorMap().get(errno)?.[1] ?? message
