import { connect, createServer } from 'node:net'

import { expect, it } from 'vitest'

import { EXIT_OTHER } from '#agent/exit-codes.ts'
import { Uplink } from '#agent/lan/uplink.ts'
import { SystemError } from '#net/base/errors.ts'
import type { Connection } from '#net/port/nic/connection-matcher.ts'

const text = ({ own, hub, port }: Connection): string =>
  `${Buffer.from(own).toString('hex')} ${Buffer.from(hub).toString('hex')} ${port}`

function uplink() {
  const lists: string[][] = []
  return { lists, it: new Uplink((connections) => lists.push(connections.map(text))) }
}

it('leaves each address out before it is dialled, the last ones too, and says nothing twice', () => {
  const { lists, it: tested } = uplink()
  tested.dialling('127.0.0.2', 2222)
  tested.dialling('127.0.0.2', 2222)
  tested.dialling('::1', 22)
  tested.dialling('127.0.0.2', 2222)
  tested.dialling('::ffff:127.0.0.3', 2222)
  const second = '7f000001 7f000002 2222'
  const six = `${'0'.repeat(31)}1 ${'0'.repeat(31)}1 22`
  expect(lists).toEqual([[second], [six, second], [second, six], ['7f000001 7f000003 2222', second, six]])
})

it('keeps the eight newest', () => {
  const { lists, it: tested } = uplink()
  for (let i = 1; i <= 10; i++) tested.dialling(`127.0.0.${i}`, 1)
  expect(lists.at(-1)?.map((line) => line.slice(15, 17))).toEqual([
    '0a',
    '09',
    '08',
    '07',
    '06',
    '05',
    '04',
    '03',
  ])
})

it('takes the connection as it came about, from another address than was expected', async () => {
  const server = createServer((socket) => socket.end())
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.7' })
  await new Promise((resolve) => socket.once('connect', resolve))
  const { lists, it: tested } = uplink()
  tested.dialling('127.0.0.1', port)
  tested.connected(socket)
  expect(lists.at(-1)).toEqual([`7f000007 7f000001 ${port}`, `7f000001 7f000001 ${port}`])
  socket.destroy()
  server.close()
})

it('fails the dialling when the system refuses, and tries again the next time', () => {
  let refusals = 1
  const taken: string[] = []
  const tested = new Uplink((connections) => {
    if (refusals-- > 0)
      throw new SystemError('ENOMEM', 'cannot set the packet filter of eth0: not enough memory')
    taken.push(...connections.map(text))
  })
  expect(() => tested.dialling('127.0.0.2', 1)).toThrow(
    expect.objectContaining({
      exitCode: EXIT_OTHER,
      message: expect.stringContaining('packet filter of eth0'),
    }),
  )
  tested.dialling('127.0.0.2', 1)
  expect(taken).toEqual(['7f000001 7f000002 1'])
})
