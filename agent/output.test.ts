import { afterEach, expect, it, vi } from 'vitest'
import { Output } from '#agent/output.ts'

afterEach(() => vi.restoreAllMocks())

it('tells what others say without what a terminal obeys, line by line', () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const output = new Output(false)
  output.failure('one\u001b]0;title\u0007\ntwo\u009b31m', 1)
  output.log('three\u001b[2J')
  expect(write.mock.calls.map(([text]) => String(text))).toEqual([
    'hconnect: one\ufffd]0;title\ufffd\ntwo\ufffd31m\n',
    expect.stringMatching(/^hconnect: .{24}: three\ufffd\[2J\n$/),
  ])
})
