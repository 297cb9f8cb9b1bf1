import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import * as libc from '#net/port/libc.ts'
import { congestionOf } from '#net/port/tcp.ts'
import { bindTcp, listenShared, probeAddress } from '#hub/gateway/listen.ts'
import { freePort } from '#hub/supervisor/free-port.ts'

describe('listenShared', () => {
  const opened: number[] = []
  const keep = (fd: number): number => {
    opened.push(fd)
    return fd
  }
  afterEach(() => {
    for (const fd of opened.splice(0)) libc.close(fd)
  })

  it.each(['127.0.0.1', '::1'])('lets several have one port of %s, and tells a probe', (address) => {
    const port = freePort(address)
    expect(port).toBeGreaterThan(0)
    probeAddress(address, port)
    keep(listenShared(address, port))
    keep(listenShared(address, port))
    expect(() => probeAddress(address, port)).toThrow(
      expect.objectContaining({ code: 'EADDRINUSE', message: expect.stringContaining('--ssh') }),
    )
  })

  it('is refused where somebody listens who does not share', () => {
    const port = freePort('127.0.0.1')
    keep(bindTcp('127.0.0.1', port, { shared: false, backlog: 1 }))
    expect(() => listenShared('127.0.0.1', port)).toThrow(
      `cannot listen on 127.0.0.1:${port}: address already in use`,
    )
  })

  it('says when no interface has the address', () => {
    expect(() => listenShared('192.0.2.1', 2222)).toThrow(
      /^cannot listen on 192\.0\.2\.1:2222: .*no interface/,
    )
    expect(() => listenShared('2001:db8::1', 2222)).toThrow(/^cannot listen on \[2001:db8::1\]:2222: /)
  })

  it.each(['127.0.0.1', '::1'])('hands CUBIC on to the connections of %s', async (host) => {
    const port = freePort(host)
    const fd = keep(listenShared(host, port))
    expect(congestionOf(fd)).toBe('cubic')
    const socket = net.connect({ host, port })
    await new Promise((resolve) => socket.once('connect', resolve))
    expect(congestionOf(keep(libc.accept4(fd, null, null, libc.SOCK_CLOEXEC)))).toBe('cubic')
    socket.destroy()
  })

  it.each(['127.0.0.1', '::1'])('accepts connections at %s', async (host) => {
    const port = freePort(host)
    const server = net.createServer((socket) => socket.end('hello'))
    await new Promise<void>((resolve) => server.listen({ fd: listenShared(host, port) }, resolve))
    const socket = net.connect({ host, port })
    const [text] = await new Promise<Buffer[]>((resolve) => socket.once('data', (chunk) => resolve([chunk])))
    expect(String(text)).toBe('hello')
    await new Promise((resolve) => server.close(resolve))
  })
})
