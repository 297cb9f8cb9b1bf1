import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { Pty } from '#net/port/pty.ts'

let pty: Pty
let child: ChildProcess | undefined
afterEach(async () => {
  pty.close()
  child?.kill('SIGKILL')
  if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  child = undefined
})

/** Opens it; `until` resolves when so much of what is shown matches. */
function open() {
  let shown = ''
  let wake: (() => void) | undefined
  let rooms = 0
  pty = new Pty({
    shown: (octets) => {
      shown += Buffer.from(octets).toString()
      wake?.()
    },
    room: () => rooms++,
  })
  const until = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(shown)) await new Promise<void>((resolve) => (wake = resolve))
    return shown
  }
  return { until, rooms: () => rooms }
}

/** A program that has it as its terminal. */
function run(script: string): void {
  child = spawn('setsid', ['--ctty', 'sh', '-c', script], { stdio: [pty.slave, pty.slave, pty.slave] })
}

describe('a pseudo-terminal', () => {
  it('is the terminal of programs: what they show is read, what is typed they read', async () => {
    const { until } = open()
    run('read line; echo "got <$line>"; test -t 0 && echo terminal')
    pty.write(Buffer.from('höllo\x7f\x7f\x7fi\r'))
    expect(await until(/terminal/)).toMatch(/got <höi>\r\nterminal\r\n/)
  })

  it('tells programs its size, and that it has another one', async () => {
    const { until } = open()
    pty.resize(81, 25)
    run('trap "stty size; exit" WINCH; stty size; while :; do sleep 0.05; done')
    await until(/25 81\r\n/)
    pty.resize(132, 50)
    expect(await until(/50 132\r\n/)).toBe('25 81\r\n50 132\r\n')
  })

  it('stays when the last program ends, and is there for the next', async () => {
    const { until } = open()
    run('echo one')
    await until(/one/)
    if (child) await once(child, 'exit')
    run('echo two')
    expect(await until(/two\r\n/)).toBe('one\r\ntwo\r\n')
  })

  it('keeps what is typed until there is room, or it is to be forgotten', async () => {
    const { until, rooms } = open()
    run('stty raw -echo; echo ready; read -r go; dd bs=1000 count=200 iflag=fullblock 2>/dev/null | wc -c')
    await until(/ready/)
    pty.write(Buffer.alloc(100_000, 'x'))
    expect(pty.waiting).toBeGreaterThan(50_000)
    pty.discard()
    expect([pty.waiting, rooms()]).toEqual([0, 1])
    pty.write(Buffer.concat([Buffer.from('\n'), Buffer.alloc(200_000, 'y')]))
    await until(/200000/)
    expect(pty.waiting).toBe(0)
  })
})
