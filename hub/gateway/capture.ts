/** A capture for a user of the SSH port: `ssh -p 2222 ann@hub capture private0 | tcpdump -r -`. */
import type { ServerChannel } from 'ssh2'
import { captureSummary, passCapture } from '#net/capture/capture-client.ts'
import { openCapture } from '#hub/base/capture-client.ts'
import { captureRequest, captureTarget, type CaptureWords } from '#hub/base/capture-request.ts'

/**
 * Runs it until the user goes, or its count or duration is over. That input ends means nothing: `ssh` has none when it
 * is started by a program.
 * @param find  gives a bridge's full name
 * @throws ConfigError, ProtocolError, SystemError when it does not begin
 */
export async function serveCapture(
  channel: ServerChannel,
  words: CaptureWords,
  user: string,
  find: (bridge: string) => Promise<string>,
): Promise<void> {
  channel.on('error', () => {}) // 'close' follows
  channel.resume()
  const request = captureRequest({ ...words, bridge: await find(words.bridge) }, user)
  const capture = await openCapture(request)
  channel.stderr.write(`capturing ${captureTarget(request)}\n`)
  const blocks = await passCapture(capture, channel)
  if (!channel.writable) return
  channel.stderr.write(
    blocks.isComplete ? `${captureSummary(blocks)}\n` : 'the hub ended the capture before its end\n',
  )
  channel.exit(blocks.isComplete ? 0 : 1)
  channel.end()
}
