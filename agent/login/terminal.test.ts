import { execFileSync } from 'node:child_process'

import { describe, expect, it } from 'vitest'

import { LineInput, terminalAsk } from '#agent/login/terminal.ts'

describe('LineInput', () => {
  it('takes a line, shows it, and erases', () => {
    const line = new LineInput()
    expect(line.type('abé')).toBe('abé')
    expect(line.type('\u007f')).toBe('\b \b')
    expect(line.type('\u0015x\u001b')).toBe('\b \b\b \bx')
    expect(line.type('y\rz')).toBe('y')
    expect(line).toMatchObject({ text: 'xy', state: 'done' })
  })

  it('is cancelled by Ctrl-C and Ctrl-D, and holds no more than it should', () => {
    for (const key of ['\u0003', '\u0004']) {
      const line = new LineInput()
      line.type(`a${key}`)
      expect(line.state).toBe('cancelled')
    }
    const line = new LineInput()
    line.type('x'.repeat(5000))
    expect(line.text).toHaveLength(1024)
  })
})

describe('terminalAsk', () => {
  it('is not there without a terminal', () => {
    expect(terminalAsk('/nonexistent/tty')).toBeUndefined()
  })

  it('asks on a real terminal and does not show what is hidden', () => {
    const program = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp('node', ['node', '--import', 'tsx', '-e', '''
      import('#agent/login/terminal.ts').then(async ({ terminalAsk }) => {
        const ask = terminalAsk()
        const name = await ask('Name? ', false)
        const secret = await ask('Secret? ', true)
        console.log('got ' + name + ' ' + secret.length)
      })'''])
seen = b''
def until(text):
    global seen
    while text not in seen:
        try: part = os.read(fd, 1000)
        except OSError: break
        if not part: break
        seen += part
until(b'Name? '); os.write(fd, b'annx\\x7f\\r'); until(b'Secret? '); os.write(fd, b'hush\\r'); until(b'got ann 4')
os.waitpid(pid, 0)
sys.stdout.write(seen.decode())
`
    const shown = execFileSync('/usr/bin/python3', ['-c', program], { encoding: 'utf8', timeout: 9000 })
    expect(shown).toContain('Name? annx')
    expect(shown).toContain('got ann 4')
    expect(shown).not.toContain('hush')
  })
})
