/** A capture of one port of the hub into a new file, for as long as somebody looks on. */
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { reasonOf, SystemError } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { captureSummary, passCapture } from '#net/capture/capture-client.ts'
import { openCapture } from '#hub/base/capture-client.ts'
import { captureRequest } from '#hub/base/capture-request.ts'

/**
 * @param file  relative to `directory`; made with mode 0600, and must not exist
 * @returns ends it; resolves with what to tell when the file is whole
 * @throws SystemError when the file cannot be made, ProtocolError of the hub
 */
export async function captureToFile(
  bridge: string,
  port: number,
  file: string,
  directory: string,
): Promise<() => Promise<string>> {
  const path = resolve(directory, file)
  const handle = await open(path, 'wx', 0o600).catch((error: unknown) => {
    const code = errnoOf(error)
    const why = code === 'EEXIST' ? 'it exists (choose another name)' : reasonOf(error)
    throw new SystemError(code, `cannot write ${file}: ${why}`)
  })
  const output = createWriteStream(path, { fd: handle.fd, autoClose: false })
  let failure: Error | undefined
  output.on('error', (error) => (failure ??= error))
  const close = (): Promise<void> => handle.close()
  const capture = await openCapture(captureRequest({ bridge, port: String(port) }, '')).catch(
    async (error: unknown) => {
      await close()
      throw error
    },
  )
  const passed = passCapture(capture, output).then(async (blocks) => {
    if (failure === undefined) {
      output.end()
      await finished(output).catch((error: Error) => (failure ??= error))
    }
    await close()
    if (failure !== undefined) return `${captureSummary(blocks)}; cannot write ${file}: ${failure.message}`
    return blocks.isComplete ? captureSummary(blocks) : `${captureSummary(blocks)}; the hub ended it`
  })
  return () => {
    capture.socket.end()
    return passed
  }
}
