import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RECORD_INPUT, RECORD_OUTPUT, RecordReader, records } from '#hub/console/records.ts'
import { freePort } from '#hub/supervisor/free-port.ts'
import { ConsolePort } from '#hub/console/telnet/port.ts'

let directory: string
let console: Server
let typed: string
let hello: string
let wake: (() => void) | undefined
const sockets = new Set<Socket>()

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-telnet-'))
  typed = ''
  hello = ''
  console = createServer((socket) => {
    sockets.add(socket)
    const reader = new RecordReader()
    socket.on('error', () => {})
    socket.on('data', (piece: Buffer) => {
      reader.push(piece)
      if (hello === '') hello = JSON.stringify(reader.hello())
      for (let next = reader.next(); next; next = reader.next())
        if (next.type === RECORD_INPUT) typed += next.body.toString('latin1')
      wake?.()
    })
    socket.write(records(RECORD_OUTPUT, Buffer.from('login: \xff', 'latin1')))
  })
  await new Promise<void>((resolve) => console.listen(join(directory, 'console.sock'), resolve))
})
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  console.close()
  rmSync(directory, { recursive: true })
})

async function open(): Promise<{ socket: Socket; until: (text: string) => Promise<string> }> {
  const device = { name: 'lab/h1', port: freePort('127.0.0.1'), socket: join(directory, 'console.sock') }
  const port = new ConsolePort(device)
  await port.listen()
  expect(port.problem).toBe('')
  const socket = connect(device.port, '127.0.0.1')
  sockets.add(socket)
  socket.on('error', () => {})
  let shown = ''
  socket.on('data', (octets: Buffer) => {
    shown += octets.toString('latin1')
    wake?.()
  })
  const until = async (text: string): Promise<string> => {
    while (!`${shown}|${typed}`.includes(text)) await new Promise<void>((resolve) => (wake = resolve))
    return shown
  }
  return { socket, until }
}

describe('the telnet port of a console', () => {
  it('shows the console to a client that says what it has', async () => {
    const { socket, until } = await open()
    await until('\xff\xfd\x18') // DO TERMINAL TYPE, the last that it asks for
    const answers = '\xff\xfd\x01\xff\xfd\x03\xff\xfd\x00\xff\xfb\x03\xff\xfb\x00\xff\xfb\x1f\xff\xfb\x18'
    socket.write(
      Buffer.from(
        `${answers}\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfa\x18\x00xterm\xff\xf0ls\r`,
        'latin1',
      ),
    )
    expect(await until('|ls\r')).toContain('[console of lab/h1; Ctrl-] ? helps]')
    expect(JSON.parse(hello)).toMatchObject({
      viewer: expect.stringMatching(/^telnet from port \d+$/),
      terminal: { columns: 80, rows: 24 },
    })
    await until('login: \xff\xff')
  })

  it('shows it to one who says nothing, and hears what was typed at once', async () => {
    const { socket, until } = await open()
    socket.write('early\r\n')
    await until('|early\r')
    expect(JSON.parse(hello)).toMatchObject({ terminal: null })
  })

  it.each([
    ['', 'POST / HTTP/1.1\r\nHost: 127.0.0.1:5001\r\n\r\nrm -rf /\r\n'],
    [' with TLS', Buffer.from('\x16\x03\x01\x00\x10\x01\x00\x00\x0c\nrm -rf /\n', 'latin1')],
  ])('hears no browser%s', async (_how, request) => {
    const { socket } = await open()
    socket.write(request)
    await once(socket, 'close')
    expect([hello, typed]).toEqual(['', ''])
  })

  it('is tried again and again while another program has it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const port = freePort('127.0.0.1')
    const other = createServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    const warnings: string[] = []
    process.on('warning', ({ name }) => warnings.push(name))
    const taken = new ConsolePort({ name: 'lab/h1', port, socket: '/nowhere' })
    for (let i = 0; i < 12; i++) await taken.listen()
    expect(taken.problem).toContain(`no TCP port ${port}: another program has it`)
    // Node warns of listeners that pile up, at the eleventh.
    expect(warnings).toEqual([])
    other.close()
    await once(other, 'close')
    vi.useRealTimers()
    await taken.listen()
    expect(taken.problem).toBe('')
  })
})
