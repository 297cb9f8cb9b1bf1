/** The console of a device on the terminal of a command, or between its input and output. */
import type { ReadStream, WriteStream } from 'node:tty'
import { atExit } from '#net/base/at-exit.ts'
import { ProtocolError } from '#net/base/errors.ts'
import { userName } from '#hub/base/account-names.ts'
import { DEVICE_CONSOLE_SOCKET, deviceDirectory } from '#hub/base/device-paths.ts'
import type { Context } from '#hub/command/context.ts'
import { type FoundDevice, fullName, whyGone } from '#hub/console/device.ts'
import { sizeOf } from '#hub/console/records.ts'
import { noticeOn, TERMINAL_RESET } from '#hub/console/terminal-text.ts'
import { ConsoleViewer } from '#hub/console/viewer.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Until the user leaves, or a signal ends it; from within the data directory. @throws ProtocolError when the console ends it */
export async function showConsole(
  { stdin, stdout, stderr }: Context,
  found: FoundDevice,
  find: () => Promise<unknown>,
): Promise<void> {
  const terminal = terminalOf(stdin, stdout)
  const name = fullName(found)
  const sizeNow = () => terminal && sizeOf(terminal.output.columns, terminal.output.rows)
  const notice = (text: string): void => {
    if (terminal) stdout.write(noticeOn(text))
    else stderr.write(`hybridge: ${text}\n`)
  }
  const restore = terminal && makeRaw(terminal)
  if (terminal) notice(`console of ${name}; Ctrl-] ? helps`)
  try {
    await new Promise<void>((resolve, reject) => {
      const viewer = new ConsoleViewer({
        socket: `${deviceDirectory(found.topology, found.number)}/${DEVICE_CONSOLE_SOCKET}`,
        device: name,
        viewer: `${userName(process.geteuid?.() ?? 0)} on the hub`,
        terminal: sizeNow(),
        hasMenu: terminal !== undefined,
        end: {
          write: (octets) => stdout.write(octets),
          notice,
          ended: (why) => {
            stdin.off('data', onInput).off('end', onEnd).pause()
            stdout.off('drain', onDrain).off('resize', onResize)
            for (const signal of SIGNALS) process.off(signal, onSignal)
            if (why === undefined) resolve()
            else reject(new ProtocolError('console', why))
          },
          listen: (isListening) => {
            if (isListening) stdin.resume()
            else stdin.pause()
          },
        },
        whyGone: () => whyGone(find),
      })
      const onInput = (octets: string | Buffer): void => viewer.input(Buffer.from(octets))
      const onEnd = (): void => viewer.inputEnded()
      const onDrain = (): void => viewer.resume()
      const onSignal = (): void => viewer.close()
      const onResize = (): void => {
        const size = sizeNow()
        if (size) viewer.resize(size)
      }
      stdin.on('data', onInput).on('end', onEnd)
      stdout.on('drain', onDrain).on('resize', onResize)
      for (const signal of SIGNALS) process.on(signal, onSignal)
    })
  } finally {
    restore?.()
  }
}

interface Terminal {
  readonly input: ReadStream
  readonly output: WriteStream
}

function terminalOf(stdin: Context['stdin'], stdout: Context['stdout']): Terminal | undefined {
  const isTerminal = 'isTTY' in stdin && stdin.isTTY && 'isTTY' in stdout && stdout.isTTY === true
  return isTerminal ? { input: process.stdin, output: process.stdout } : undefined
}

/** Each key is read as it is pressed. @returns puts the terminal back, which is done at the process's end at the latest */
function makeRaw({ input, output }: Terminal): () => void {
  const restore = (): void => {
    input.setRawMode(false)
    output.write(`${TERMINAL_RESET}\r\n`)
  }
  input.setRawMode(true)
  const forget = atExit(restore)
  return () => {
    forget()
    restore()
  }
}
