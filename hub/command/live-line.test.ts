import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { LiveLine } from '#hub/command/live-line.ts'

function written(terminal: object, use: (line: LiveLine) => void): string {
  const stream = new PassThrough()
  use(new LiveLine(Object.assign(stream, terminal)))
  return String(stream.read() ?? '')
}

const show = (line: LiveLine): void => line.show('x'.repeat(100))

it('writes over the last line of a terminal, without codes, and leaves it empty', () => {
  const text = written({ isTTY: true, columns: 10 }, (line) => {
    line.show('1 of 12 running')
    line.show('done')
    line.end()
    line.end()
  })
  expect(text).toBe('\r1 of 12 r\rdone     \r    \r')
})

it('takes 80 columns where none are known, and writes nothing on a pipe', () => {
  expect(written({ isTTY: true, columns: 0 }, show)).toBe(`\r${'x'.repeat(79)}`)
  expect(written({}, show)).toBe('')
})
