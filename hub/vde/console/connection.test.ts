import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MOST_SESSIONS } from '#hub/vde/console/bridge-console.ts'
import { serveConsole } from '#hub/vde/console/connection.ts'
import { LONGEST_LINE } from '#hub/vde/console/line-splitter.ts'
import { PROMPT } from '#hub/vde/console/session.ts'
import { ConsoleLab } from '#test/support/console-lab.ts'
import { until } from '#test/support/process.ts'

const TOO_LONG = `1022 Invalid argument: a line has ${LONGEST_LINE} octets at most\n`

let directory: string
let lab: ConsoleLab
let sockets: Socket[]
let failures: unknown[]
let stop: () => Promise<void>

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-console-'))
  lab = new ConsoleLab()
  lab.console.close(lab.session)
  sockets = []
  failures = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    serveConsole(socket, { console: lab.console, now: () => 0, onFailure: (error) => failures.push(error) })
  })
  server.listen(join(directory, 's'))
  await once(server, 'listening')
  stop = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
})
afterEach(async () => {
  await stop()
  rmSync(directory, { recursive: true })
})

class Client {
  readonly socket = connect(join(directory, 's'))
  text = ''
  isEnded = false

  constructor() {
    this.socket.setEncoding('utf8').on('data', (text: string) => (this.text += text))
    this.socket.on('end', () => (this.isEnded = true))
    this.socket.on('error', () => (this.isEnded = true))
  }

  /** What came since the last call, when it ends with so many prompts. */
  async prompts(count: number): Promise<string> {
    await until(`${count} prompts`, () => this.text.split(PROMPT).length > count)
    const text = this.text
    this.text = ''
    return text
  }
}

async function greeted(): Promise<Client> {
  const client = new Client()
  await client.prompts(1)
  return client
}

describe('a connection', () => {
  it('answers lines that come together one after the other', async () => {
    const client = await greeted()
    client.socket.write('vlan/create 10\r\nvlan/create 10\n\nvlan/pr')
    client.socket.write('int\n')
    expect(await client.prompts(4)).toBe(
      [
        '1000 Success\n',
        '1017 File exists\n',
        '',
        "0000 DATA END WITH '.'\nVLAN 0000\nVLAN 0010\n.\n1000 Success\n",
        '',
      ].join(PROMPT),
    )
  })

  it('answers a line without a newline, as vdeterm sends it', async () => {
    const client = await greeted()
    client.socket.write('vlan/create 10')
    expect(await client.prompts(1)).toBe(`1000 Success\n${PROMPT}`)
  })

  it('answers what was said before the end of it', async () => {
    const client = await greeted()
    client.socket.end('vlan/create 10\nvlan/create 11')
    await until('the end', () => client.isEnded)
    expect(client.text).toBe(`1000 Success\n${PROMPT}`.repeat(2))
    expect(lab.console.vlans.list()).toEqual([0, 10, 11])
  })

  it('refuses long lines and goes on', async () => {
    const client = await greeted()
    client.socket.write(`${'x'.repeat(100_000)}\nvlan/create 10\n`)
    expect(await client.prompts(2)).toBe(`${TOO_LONG}${PROMPT}1000 Success\n${PROMPT}`)
  })

  it('ends when it is told to', async () => {
    const client = await greeted()
    client.socket.write('logout\nvlan/create 10\n')
    await until('the end', () => client.isEnded)
    expect(client.text).toBe('9999 END OF SESSION')
    expect(lab.console.vlans.list()).toEqual([0])
  })

  it('tells events when they come', async () => {
    const client = await greeted()
    client.socket.write('debug/add port\n')
    await client.prompts(1)
    lab.plug(3)
    lab.console.look()
    await until('the event', () => client.text.endsWith('"\n'))
    expect(client.text).toBe(
      '3021 port/+ 03\n3031 port/ep/+ Port 03 FD  0\n3023 port/descr Port 03 FD  0 -> "eth1"\n',
    )
  })

  it('is one of so many', async () => {
    await Promise.all(Array.from({ length: MOST_SESSIONS }, greeted))
    const client = new Client()
    await until('the end', () => client.isEnded)
    expect(client.text).toBe('1024 Too many open files: too many sessions are open\n')
    const [first] = sockets
    const closed = first && once(first, 'close')
    first?.destroy()
    await closed
    expect((await greeted()).isEnded).toBe(false)
  })

  it('holds a piece for a client that does not read, and loses nothing of the answer', async () => {
    for (let i = 1; i <= 1000; i++) lab.say('port/createauto')
    const client = await greeted()
    const [socket] = sockets
    client.socket.pause()
    const lines = 40
    client.socket.write('port/allprint\n'.repeat(lines))
    await until('a full socket', () => socket?.writableNeedDrain === true)
    expect(socket?.writableLength).toBeLessThan(64 * 1024)
    client.socket.resume()
    const text = await client.prompts(lines)
    const answers = text.split(PROMPT)
    expect(answers.pop()).toBe('')
    expect(new Set(answers).size).toBe(1)
    expect(answers[0]?.split('\n')).toHaveLength(4000 + 4)
  })

  it('says when something is wrong with us', async () => {
    const client = await greeted()
    lab.bridge.switch.addEntry = () => {
      throw new TypeError('a bug')
    }
    client.socket.write('port/create 1\nvlan/create 10\n')
    expect(await client.prompts(2)).toBe(
      `1005 Input/output error: internal error, see the log\n${PROMPT}1000 Success\n${PROMPT}`,
    )
    expect(failures).toEqual([new TypeError('a bug')])
  })
})
