import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import * as libc from '#net/port/libc.ts'
import { SOCKADDR_UN, unixAddress } from '#net/port/unix-address.ts'
import { Fabric } from '#hub/fabric/fabric.ts'
import { listenUnix } from '#hub/base/unix-listener.ts'
import { until } from '#test/support/process.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hybridge-fabric-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

it('who may use a port is forgotten with the tunnel that had it', async () => {
  const path = join(directory, 'mgmt')
  const fabric = new Fabric(
    { bridges: [{ name: 'lab', mgmt: { path, mode: 0o600 } }], attach: [] },
    () => {},
    () => 0,
  )
  const gateway = join(directory, 'tunnel')
  let port = 0
  const listener = listenUnix(gateway, 0o600, (fd) => {
    const request = { bridge: 'lab', user: 'ann', name: 'pc', key: '', localAddress: '', peerAddress: '' }
    fabric.joinTunnel({ ...request, kind: 'plug', superFrames: false, largestFrame: 1514 }, fd, (number) => {
      port = number
    })
  })
  const fd = libc.socket(libc.AF_UNIX, libc.SOCK_STREAM | libc.SOCK_CLOEXEC, 0)
  libc.connect(fd, unixAddress(gateway), SOCKADDR_UN)
  await until('the tunnel', () => port === 1)

  const console = net.connect(path)
  let heard = ''
  console.on('data', (octets) => (heard += octets.toString()))
  console.write('port/setuser 1 0\nport/allocatable 1 0\n')
  await until('both are set', () => heard.split('1000 Success').length === 3)
  libc.close(fd)
  await until('the tunnel is gone', () => fabric.ports('lab').length === 0)
  console.write('port/create 1\nport/allocatable 1 1\nport/allprint 1\n')
  await until('the port', () => heard.includes('Current User'))
  expect(heard).toContain('Access Control: (User: NONE - Group: NONE)')

  console.destroy()
  listener.close()
  fabric.close()
})
