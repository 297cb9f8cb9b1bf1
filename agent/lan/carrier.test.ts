import { connect, createServer, type AddressInfo, type Server } from 'node:net'

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { refuseCarrier, refuseWay } from '#agent/lan/carrier.ts'
import { EXIT_CARRIES_TUNNEL, EXIT_OTHER, ExitError } from '#agent/exit-codes.ts'
import { SystemError } from '#net/base/errors.ts'

const fault = vi.hoisted((): { thrown?: Error } => ({}))
vi.mock(import('#net/port/nic/link-table.ts'), async (load) => {
  const real = await load()
  const readLinks: typeof real.readLinks = () => {
    if (fault.thrown) throw fault.thrown
    return real.readLinks()
  }
  return { ...real, readLinks }
})

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

  it('tells what the system refuses as a fault that is tried again', async () => {
    const socket = connect(portOf(server), '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    fault.thrown = new SystemError('ENOBUFS', 'cannot ask the kernel')
    const refusal: unknown = await refuseCarrier('eth9', socket).catch((error: unknown) => error)
    delete fault.thrown
    expect(refusal).toBeInstanceOf(ExitError)
    expect(refusal).toMatchObject({ exitCode: EXIT_OTHER, message: 'cannot ask the kernel' })
    socket.destroy()
  })
})

describe('refuseWay', () => {
  it('refuses the interface of the way to every address of the hub, before there is a connection', async () => {
    await expect(refuseWay('lo', '127.0.0.1')).rejects.toMatchObject({ exitCode: EXIT_CARRIES_TUNNEL })
    await expect(refuseWay('lo', 'localhost')).rejects.toMatchObject({ exitCode: EXIT_CARRIES_TUNNEL })
    await expect(refuseWay('eth9', '127.0.0.1')).resolves.toBeUndefined()
  })

  it('leaves to the connection what is not known', async () => {
    await expect(refuseWay('lo', 'no-such-host.invalid')).resolves.toBeUndefined()
    fault.thrown = new SystemError('ENOBUFS', 'cannot ask the kernel')
    await expect(refuseWay('lo', '127.0.0.1')).resolves.toBeUndefined()
    delete fault.thrown
  })
})

function portOf(listening: { address(): AddressInfo | string | null }): number {
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}
