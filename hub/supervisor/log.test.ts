import { Writable } from 'node:stream'
import { expect, it, describe } from 'vitest'
import { openSupervisorLog, relayLine } from '#hub/supervisor/log.ts'

class Sink extends Writable {
  text = ''
  isTTY = false
  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk)
    done()
  }
}

/** What a log writes for `use`; pino-pretty passes lines on in later turns of the loop. */
async function written(
  isTTY: boolean,
  env: NodeJS.ProcessEnv,
  use: (log: ReturnType<typeof openSupervisorLog>) => void,
) {
  const stream = new Sink()
  stream.isTTY = isTTY
  use(openSupervisorLog('info', { stream, env }))
  while (!stream.text.includes('\n')) await new Promise((resolve) => setImmediate(resolve))
  return stream.text
}

describe('openSupervisorLog', () => {
  it('writes JSON lines when nobody watches', async () => {
    const text = await written(false, {}, (log) => log.info({ bridge: 'lab0' }, 'attached'))
    expect(JSON.parse(text)).toMatchObject({
      level: 30,
      process: 'supervisor',
      bridge: 'lab0',
      msg: 'attached',
    })
  })

  it('writes for people on a terminal, in colour unless NO_COLOR says otherwise', async () => {
    const coloured = await written(true, {}, (log) => log.warn('look'))
    expect(coloured).toContain('\u001b[')
    const plain = await written(true, { NO_COLOR: '1' }, (log) => log.warn('look'))
    expect(plain).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: supervisor: look\n$/)
  })

  it('prints lines of children as theirs, without what could steer the terminal', async () => {
    const child = '{"level":40,"time":"x","process":"gateway-1","pid":5,"msg":"bad \\u001b[2Juser"}'
    const plain = await written(true, { NO_COLOR: '1' }, (log) => relayLine(log, 'gateway-1', child))
    expect(plain).toContain('WARN: gateway-1: bad \ufffd[2Juser')
    const json = await written(false, {}, (log) => relayLine(log, 'gateway-1', child))
    expect(JSON.parse(json)).toMatchObject({ level: 40, process: 'gateway-1' })
    const crash = await written(false, {}, (log) => relayLine(log, 'fabric', 'FATAL ERROR: \u001bheap'))
    expect(JSON.parse(crash)).toMatchObject({ level: 40, process: 'fabric', msg: 'FATAL ERROR: \ufffdheap' })
  })
})
