import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bridge } from '#hub/fabric/bridge.ts'
import { ConsoleServer } from '#hub/vde/console/server.ts'
import { PROMPT } from '#hub/vde/console/session.ts'
import { until } from '#test/support/process.ts'

let directory: string
const open: ConsoleServer[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-mgmt-'))
})
afterEach(() => {
  for (const server of open.splice(0)) server.close()
  rmSync(directory, { recursive: true })
})

function serve(path: string, mode = 0o600): ConsoleServer {
  const bridge = new Bridge({ name: 'private0' }, () => {})
  const server = new ConsoleServer({
    bridge,
    config: { path, mode },
    say: () => {},
    now: () => performance.now(),
  })
  open.push(server)
  bridge.console = server
  return server
}

describe('ConsoleServer', () => {
  it('listens with the permissions that it was given, and removes its socket', () => {
    const path = join(directory, 'new', 'private0.mgmt')
    const server = serve(path, 0o660)
    expect(statSync(path).isSocket()).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o660)
    server.close()
    expect(existsSync(path)).toBe(false)
  })

  it('speaks, and ends its sessions', async () => {
    const path = join(directory, 's')
    const server = serve(path)
    let text = ''
    let isClosed = false
    const client = connect(path)
    client.on('data', (chunk: Buffer) => (text += chunk.toString()))
    client.on('close', () => (isClosed = true))
    client.write('port/showinfo\n')
    await until('an answer', () => text.endsWith(`1000 Success\n${PROMPT}`))
    expect(text).toContain('Numports=1024\n')
    server.close()
    await until('the end', () => isClosed)
  })

  it('takes the place of a socket that nobody serves, and of nothing else', () => {
    const path = join(directory, 's')
    serve(path)
    expect(() => serve(path)).toThrow(/^cannot serve on .*: another process serves there/)
    writeFileSync(join(directory, 'file'), '')
    expect(() => serve(join(directory, 'file'))).toThrow('it exists and is no socket')
  })
})
