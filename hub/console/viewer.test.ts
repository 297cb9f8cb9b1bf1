import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  RECORD_END,
  RECORD_INPUT,
  RECORD_OUTPUT,
  RECORD_ROLE,
  RECORD_TAKE_OVER,
  RecordReader,
  records,
  textRecord,
} from '#hub/console/records.ts'
import { ConsoleViewer, type ViewerOptions } from '#hub/console/viewer.ts'

let directory: string
let path: string
let server: Server | undefined
let viewer: ConsoleViewer | undefined
const sockets = new Set<Socket>()

/** All that happens, in its order. */
let story: string[]
let hellos: unknown[]
let wake = (): void => {}
const note = (what: string): void => {
  story.push(what)
  wake()
}
const until = async (pattern: RegExp): Promise<void> => {
  while (!pattern.test(story.join('\n'))) await new Promise<void>((resolve) => (wake = resolve))
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-viewer-'))
  path = join(directory, 'console.sock')
  story = []
  hellos = []
})
afterEach(() => {
  viewer?.close()
  viewer = undefined
  away()
  rmSync(directory, { recursive: true })
})

/** A console that says hello and notes what it hears. */
async function here(
  greeting: Buffer = Buffer.concat([
    records(RECORD_OUTPUT, Buffer.from('hello')),
    records(RECORD_ROLE, Buffer.of(1)),
  ]),
): Promise<void> {
  const listening = createServer((socket) => {
    sockets.add(socket)
    const reader = new RecordReader()
    let hello: unknown
    socket.on('error', () => {})
    socket.on('data', (piece: Buffer) => {
      reader.push(piece)
      if (hello === undefined) hellos.push((hello = reader.hello()))
      for (let next = reader.next(); next; next = reader.next())
        if (next.type === RECORD_INPUT) note(`typed ${next.body.toString()}`)
        else note(next.type === RECORD_TAKE_OVER ? 'take over' : `record ${next.type}`)
    })
    socket.write(greeting)
  })
  server = listening
  await new Promise<void>((resolve) => listening.listen(path, resolve))
}

function away(): void {
  server?.close()
  server = undefined
  for (const socket of sockets) socket.destroy()
  sockets.clear()
}

const look = (more: Partial<ViewerOptions> = {}): ConsoleViewer =>
  (viewer = new ConsoleViewer({
    socket: path,
    device: 'lab/h1',
    viewer: 'ann',
    terminal: { columns: 80, rows: 24 },
    hasMenu: true,
    end: {
      write: (octets) => {
        note(`shown ${Buffer.from(octets).toString()}`)
        return true
      },
      notice: (text) => note(`notice ${text.split('\n')[0]}`),
      ended: (why) => note(`ended ${why}`),
      listen: () => {},
    },
    ...more,
  }))

describe('a viewer', () => {
  it('sees, types, takes over, leaves', async () => {
    await here()
    const one = look()
    one.input(Buffer.from('ls\x1dtx\x1d'))
    one.resize({ columns: 90, rows: 30 })
    await until(/record 3/)
    one.input(Buffer.from('?\x1dqrest'))
    expect(story.filter((line) => !line.startsWith('shown'))).toEqual([
      'notice t take over, q quit, ? help, Ctrl-] send it',
      'notice t take over, q quit, ? help, Ctrl-] send it',
      'typed ls',
      'take over',
      'typed x',
      'record 3',
      'notice Ctrl-] t       type here; who did looks on',
      'notice t take over, q quit, ? help, Ctrl-] send it',
      'ended undefined',
    ])
  })

  it('waits for a device that is off, and sees it when it is back', async () => {
    look({ whyGone: () => Promise.resolve(undefined) })
    await until(/notice lab\/h1 is not running; waiting/)
    await here()
    await until(/notice lab\/h1 is back\nshown hello/)
    away()
    await until(/shown hello\nnotice lab\/h1 is not running; waiting/)
    viewer?.input(Buffer.from('lost'))
    await here()
    await until(/shown hello(.|\n)*shown hello/)
    viewer?.input(Buffer.from('heard'))
    await until(/typed/)
    expect(story.at(-1)).toBe('typed heard')
    expect(hellos.at(-1)).toMatchObject({ viewer: 'ann', typed: true })
  })

  it('waits no more for what will not come back', async () => {
    look({ whyGone: () => Promise.resolve('the topology was stopped') })
    await until(/ended/)
    expect(story.at(-1)).toBe('ended the topology was stopped')
  })

  it('is sent away by the console, with what it says', async () => {
    await here(textRecord(RECORD_END, 'too\x1b many'))
    look()
    await until(/ended/)
    expect(story).toEqual(['ended too\ufffd many'])
  })

  it('ends with a console that talks nonsense, and with what is no console', async () => {
    await here(Buffer.of(1, 0xff, 0xff))
    look()
    await until(/ended/)
    expect(story.at(-1)).toMatch(/longer than 16384/)
    story = []
    writeFileSync(join(directory, 'file'), '')
    look({ socket: join(directory, 'file/x') })
    await until(/ended/)
    expect(story).toEqual([expect.stringMatching(/^ended the console of lab\/h1 cannot be had/)])
  })

  it('of a program stays until the console has answered', async () => {
    await here()
    const one = look({ hasMenu: false, terminal: undefined })
    one.input(Buffer.from('a\x1dq'))
    one.inputEnded()
    await until(/ended undefined/)
    expect(story).toEqual(['shown hello', 'typed a\x1dq', 'ended undefined'])
  })

  it('of a program fails when somebody else types', async () => {
    await here(records(RECORD_OUTPUT))
    const one = look({ hasMenu: false, terminal: undefined })
    one.input(Buffer.from('x'))
    one.inputEnded()
    await until(/ended/)
    expect(story.at(-1)).toBe('ended lab/h1 did not hear you: somebody else types')
  })

  it('of a program fails when the device is off', async () => {
    look({ hasMenu: false, terminal: undefined }).inputEnded()
    await until(/ended lab\/h1 is not running/)
    expect(story.at(-1)).toBe('ended lab/h1 is not running')
  })
})
