import { once } from 'node:events'
import { mkdtempSync, rmSync, writeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MOST_VIEWERS } from '#hub/console/session.ts'
import {
  RECORD_END,
  RECORD_INPUT,
  RECORD_NOTICE,
  RECORD_OUTPUT,
  RECORD_TAKE_OVER,
  RecordReader,
  records,
  resizeRecord,
} from '#hub/console/records.ts'
import { DeviceConsole } from '#hub/device/console.ts'

let directory: string
let path: string
let device: DeviceConsole
const sockets: Socket[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-console-'))
  path = join(directory, 'console.sock')
  device = new DeviceConsole()
  await device.listen(path)
})
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  device.close()
  rmSync(directory, { recursive: true })
})

class Peer {
  readonly socket = connect(path)
  readonly #reader = new RecordReader()
  output = ''
  said = ''
  #wake = (): void => {}

  constructor(first = '{"viewer":"ann","terminal":null,"typed":false}\n') {
    sockets.push(this.socket)
    this.socket.write(first)
    this.socket.on('error', () => {})
    this.socket.on('data', (piece: Buffer) => {
      this.#reader.push(piece)
      for (let next = this.#reader.next(); next; next = this.#reader.next()) {
        if (next.type === RECORD_OUTPUT) this.output += next.body.toString('latin1')
        if (next.type === RECORD_NOTICE || next.type === RECORD_END) this.said += `${next.body.toString()}\n`
      }
      this.#wake()
    })
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  type(text: string): void {
    this.socket.write(records(RECORD_INPUT, Buffer.from(text)))
  }
}

describe('the console of a device', () => {
  it('shows what programs write and what is typed, now and to those who come later', async () => {
    const ann = new Peer()
    writeSync(device.terminal, 'login: ')
    await ann.until(() => ann.output === 'login: ')
    ann.type('root\r')
    await ann.until(() => ann.output === 'login: root\r\n')
    const bob = new Peer('{"viewer":"bob","terminal":null,"typed":false}\n')
    await bob.until(() => bob.output === 'login: root\r\n' && bob.said !== '')
    expect(bob.said).toBe('you look on, ann types; Ctrl-] t takes over\n')
    bob.socket.write(records(RECORD_TAKE_OVER))
    bob.type('x')
    await ann.until(() => ann.output.endsWith('x'))
    expect(ann.said).toBe('bob looks on\nbob has taken over, you look on; Ctrl-] t takes over\n')
    ann.type('y')
    await ann.until(() => ann.said.endsWith('you look on, bob types; Ctrl-] t takes over\n'))
    bob.socket.destroy()
    await ann.until(() => ann.said.endsWith('bob has left, you type now\n'))
    ann.type('z')
    await ann.until(() => ann.output.endsWith('xz'))
  })

  it('ends with those who do not speak as it does', async () => {
    for (const first of [
      'GET / HTTP/1.1\r\n',
      'x'.repeat(2000),
      '{"viewer":"a","terminal":null,"typed":false}\n\x02\xff\xff',
    ]) {
      const peer = new Peer(first)
      await once(peer.socket, 'close')
    }
    const ann = new Peer()
    ann.socket.write(resizeRecord({ columns: 100, rows: 30 }))
    ann.socket.write(Buffer.from('\x07\x00\x01x\x03\x00\x01x', 'latin1')) // of another version, and too short
    ann.type('a')
    await ann.until(() => ann.output !== '')
    expect(ann.output).toBe('a')
  })

  it('tells who comes when there is no room', async () => {
    const peers = Array.from({ length: MOST_VIEWERS }, () => new Peer())
    writeSync(device.terminal, 'x')
    for (const peer of peers) await peer.until(() => peer.output === 'x')
    const late = new Peer()
    await once(late.socket, 'end')
    expect(late.said).toBe(`${MOST_VIEWERS} look at this console already\n`)
  })

  it('is not held up by those who do not read, and tells them what they miss', async () => {
    const [ann, slow] = [new Peer(), new Peer()]
    await slow.until(() => slow.said !== '')
    slow.socket.pause()
    const piece = 'x'.repeat(1024)
    for (let i = 1; i <= 2048; i++) {
      writeSync(device.terminal, piece)
      await ann.until(() => ann.output.length === i * piece.length)
    }
    slow.socket.resume()
    await slow.until(() => /(\d+) octets are missing here/.test(slow.said))
    const missing = Number(/(\d+) octets are missing/.exec(slow.said)?.[1])
    expect(missing + slow.output.length).toBe(2048 * piece.length)
  })
})
