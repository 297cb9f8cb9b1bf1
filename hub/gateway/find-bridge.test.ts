import { expect, it } from 'vitest'
import { findBridge } from '#hub/gateway/find-bridge.ts'
import { ProtocolError, SystemError } from '#net/base/errors.ts'

const answering = (answer: unknown) => ({
  call: async (): Promise<unknown> => {
    if (answer instanceof Error) throw answer
    return answer
  },
})
const find = (answer: unknown): Promise<string> =>
  findBridge(answering(answer), 'ann', 'private0', { join: true })

it('gives the full name', async () => {
  expect(await find({ bridge: 'two/private0' })).toBe('two/private0')
})

it.each([
  [new ProtocolError('ambiguous-bridge', 'one or two'), 'ambiguous-bridge', 'one or two'],
  [new ProtocolError('not-allowed', 'no'), 'not-allowed', 'no'],
  [new ProtocolError('timeout', 'no answer'), 'unavailable', 'cannot look the bridge up: no answer'],
  [new ProtocolError('fabric-away', 'away'), 'unavailable', 'away'],
  [new SystemError('ENOENT', 'cannot reach run/auth.sock'), 'unavailable', 'run/auth.sock'],
  [[], 'unavailable', 'gives no bridge'],
])('tells an agent %s as %s', async (answer, code, message) => {
  await expect(find(answer)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
})
