import { connect, createServer, type AddressInfo, type Server } from 'node:net'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { refuseCarrier } from '#agent/carrier.ts'
import { EXIT_CARRIES_TUNNEL } from '#agent/exit-codes.ts'

describe('refuseCarrier', () => {
  let server: Server
  beforeAll(async () => {
    server = createServer((socket) => socket.end())
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
  })
  afterAll(() => {
    server.close()
  })

  it('refuses the interface that a real connection uses, with the remedy, and no other', async () => {
    const socket = connect(portOf(server), '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    await expect(refuseCarrier('lo', socket)).rejects.toMatchObject({
      exitCode: EXIT_CARRIES_TUNNEL,
      message: expect.stringMatching(/bridge a second interface.*--allow-uplink/),
    })
    await expect(refuseCarrier('eth9', socket)).resolves.toBeUndefined()
    socket.destroy()
  })
})

function portOf(listening: { address(): AddressInfo | string | null }): number {
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}
