import { readdirSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'

import { afterEach, describe, expect, it, vi } from 'vitest'

import { AddressRace, interleaved } from '#agent/way/address-race.ts'
import * as libc from '#net/port/libc.ts'
import { congestionOf, openTcpSocket } from '#net/port/tcp.ts'
import { u16 } from '#net/wire/octets.ts'

vi.mock('#net/port/tcp.ts', async (original) => {
  const real = await original<typeof import('#net/port/tcp.ts')>()
  return { ...real, openTcpSocket: vi.fn<typeof real.openTcpSocket>(real.openTcpSocket) }
})

const DEAF = '127.0.0.2'
const REFUSING = '127.0.0.3'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

const descriptors = (): number => readdirSync('/proc/self/fd').length

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}

/** Listens at `host`; port 0 is any. @returns the port */
async function listen(host: string, port: number): Promise<number> {
  const accepted: Socket[] = []
  const server: Server = createServer((socket) => accepted.push(socket.on('error', () => {})))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, resolve)
  })
  closers.push(() => {
    server.close()
    for (const socket of accepted) socket.destroy()
  })
  return portOf(server)
}

/** Makes DEAF drop what comes to a port: its queue of connections is one long, and full. @returns the port */
async function deaf(): Promise<number> {
  const fd = openTcpSocket(4)
  closers.push(() => libc.close(fd))
  const name = new Uint8Array(16)
  name.set([libc.AF_INET, 0, 0, 0, 127, 0, 0, 2])
  expect(libc.bind(fd, name, name.length) || libc.listen(fd, 0)).toBe(0)
  libc.getsockname(fd, name, libc.intOctets(name.length))
  const port = u16(name, 2)
  const filler = await ended(race([DEAF], port))
  expect(filler.won).toBe(true)
  return port
}

interface Ended {
  readonly won: boolean
  readonly socket: Socket | undefined
  readonly ms: number
}
interface Racing {
  readonly race: AddressRace
  readonly addresses: string[]
  readonly end: Promise<Ended>
}

function race(
  addresses: readonly string[],
  port: number,
  onAddress: (address: string, made: AddressRace) => void = () => {},
): Racing {
  const begun: string[] = []
  const began = performance.now()
  let made: AddressRace | undefined
  const end = new Promise<Ended>((resolve) => {
    const done = (won: boolean, socket?: Socket): void =>
      resolve({ won, socket, ms: performance.now() - began })
    made = new AddressRace({
      port,
      onAddress: (address, to) => {
        expect(to).toBe(port)
        begun.push(address)
        if (made) onAddress(address, made)
      },
      onWon: (socket) => {
        closers.push(() => socket.destroy())
        done(true, socket)
      },
      onLost: () => done(false),
    })
  })
  if (!made) throw new Error('no race')
  closers.push(() => made?.stop())
  made.start(addresses)
  return { race: made, addresses: begun, end }
}

const ended = ({ end }: Racing): Promise<Ended> => end

function descriptorOf(socket: Socket | undefined): number {
  const handle: unknown = socket && Reflect.get(socket, '_handle')
  return typeof handle === 'object' && handle !== null ? Number(Reflect.get(handle, 'fd')) : -1
}

describe('AddressRace', () => {
  it.each(['127.0.0.1', '::1'])(
    'connects to %s with CUBIC, without delay, and tries no other',
    async (host) => {
      const port = await listen(host, 0)
      const racing = race([host, REFUSING], port)
      const { won, socket } = await racing.end
      expect(won).toBe(true)
      expect(socket).toMatchObject({ remoteAddress: host, remotePort: port })
      expect(racing.addresses).toEqual([host])
      expect(congestionOf(descriptorOf(socket))).toBe('cubic')
      const noDelay = new Uint8Array(4)
      libc.getsockopt(descriptorOf(socket), 6, 1, noDelay, libc.intOctets(4))
      expect(noDelay[0]).toBe(1)
    },
  )

  it('goes to the next address at once when one refuses', async () => {
    const port = await listen('127.0.0.1', 0)
    const racing = race([REFUSING, '127.0.0.4', '127.0.0.1'], port)
    const { socket, ms } = await racing.end
    expect(socket?.remoteAddress).toBe('127.0.0.1')
    expect(racing.addresses).toEqual([REFUSING, '127.0.0.4', '127.0.0.1'])
    expect(ms).toBeLessThan(200)
  })

  it('goes to the next address after 250 ms when one does not answer, and lets go of that', async () => {
    const port = await deaf()
    await listen('127.0.0.1', port)
    const before = descriptors()
    const racing = race([DEAF, '127.0.0.1'], port)
    expect(descriptors()).toBe(before + 1)
    const { socket, ms } = await racing.end
    expect(socket?.remoteAddress).toBe('127.0.0.1')
    expect(ms).toBeGreaterThan(240)
    expect(ms).toBeLessThan(1000)
    await vi.waitFor(() => expect(descriptors()).toBe(before + 2)) // both ends of the one connection
  })

  it('waits no longer for its turn when the attempt before it fails', async () => {
    const port = await deaf()
    const began = performance.now()
    const racing = race([DEAF, REFUSING, '127.0.0.4'], port)
    const refused = expect.objectContaining({ code: 'ECONNREFUSED' })
    await vi.waitFor(
      () =>
        expect(racing.race.attempts).toEqual([
          { address: DEAF, error: undefined },
          { address: REFUSING, error: refused },
          { address: '127.0.0.4', error: refused },
        ]),
      { timeout: 2000, interval: 5 },
    )
    expect(performance.now() - began).toBeLessThan(450)
  })

  it('connects by a socket of Node where none can be made otherwise', async () => {
    const port = await listen('127.0.0.1', 0)
    vi.mocked(openTcpSocket).mockReturnValueOnce(-1)
    const { socket } = await race(['127.0.0.1'], port).end
    expect(socket).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: port })
  })

  it('tells when all have failed, and how', async () => {
    const racing = race(['::1', REFUSING], 1)
    expect((await racing.end).won).toBe(false)
    expect(racing.race.attempts).toEqual([
      { address: '::1', error: expect.objectContaining({ code: 'ECONNREFUSED' }) },
      { address: REFUSING, error: expect.objectContaining({ code: 'ECONNREFUSED' }) },
    ])
  })

  it('says nothing more after it was stopped', async () => {
    const port = await deaf()
    await listen('127.0.0.1', port)
    const before = descriptors()
    const racing = race([DEAF, '127.0.0.1'], port)
    await new Promise((resolve) => setTimeout(resolve, 50))
    racing.race.stop()
    racing.race.start(['127.0.0.1'])
    const silence = new Promise((resolve) => setTimeout(resolve, 300, 'silence'))
    expect(await Promise.race([racing.end, silence])).toBe('silence')
    expect(racing.addresses).toEqual([DEAF])
    expect(descriptors()).toBe(before)
  })

  it('starts nothing more when the caller ends it before an attempt', async () => {
    const port = await listen('127.0.0.1', 0)
    const before = descriptors()
    const racing = race(['::1', '127.0.0.1'], port, (_, made) => {
      made.stop()
      throw new Error('not there')
    })
    expect((await racing.end).won).toBe(false)
    expect(racing.addresses).toEqual(['::1'])
    expect(descriptors()).toBe(before)
  })

  it('skips an address that the caller refuses', async () => {
    const port = await listen('127.0.0.1', 0)
    const racing = race(['::1', '127.0.0.1'], port, (address) => {
      if (address === '::1') throw new Error('not there')
    })
    const { socket } = await racing.end
    expect(socket?.remoteAddress).toBe('127.0.0.1')
    expect(racing.race.attempts[0]).toEqual({ address: '::1', error: new Error('not there') })
  })
})

describe('interleaved', () => {
  it.each([
    [[], []],
    [['10.0.0.1'], ['10.0.0.1']],
    [
      ['fd00::1', 'fd00::2', 'fd00::3', '10.0.0.1'],
      ['fd00::1', '10.0.0.1', 'fd00::2', 'fd00::3'],
    ],
    [
      ['10.0.0.1', 'fd00::1', 'fd00::2'],
      ['10.0.0.1', 'fd00::1', 'fd00::2'],
    ],
    [
      ['10.0.0.1', '10.0.0.2', '10.0.0.1', 'fe80::1%eth0'],
      ['10.0.0.1', 'fe80::1%eth0', '10.0.0.2'],
    ],
  ])('orders %j as %j', (given, wanted) => {
    expect(interleaved(given)).toEqual(wanted)
  })
})
