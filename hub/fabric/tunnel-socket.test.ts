import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { listenUnix } from '#hub/base/unix-listener.ts'
import { Fabric } from '#hub/fabric/fabric.ts'
import { answerTunnel } from '#hub/fabric/tunnel-socket.ts'
import { RECORD_FRAME } from '#net/tunnel/framing.ts'

it('answers first on a bridge that speaks RSTP, then come BPDUs', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tunnel-socket-'))
  const path = join(directory, 'tunnel.sock')
  const bridges = [{ name: 'v', settings: { rstp: 'on' } }]
  const fabric = new Fabric(
    { bridges, attach: [] },
    () => {},
    () => performance.now(),
  )
  const listener = listenUnix(path, 0o600, (fd) => answerTunnel(fd, fabric))
  const gateway = net.connect(path)
  try {
    const words = { user: 'ann', name: 'vm', key: '', localAddress: '127.0.0.1', peerAddress: '127.0.0.1' }
    gateway.write(`${JSON.stringify({ kind: 'plug', bridge: 'v', ...words })}\n`)
    let heard = Buffer.alloc(0)
    gateway.on('data', (chunk: Buffer) => (heard = Buffer.concat([heard, chunk])))
    await expect.poll(() => heard.length, { timeout: 5000 }).toBeGreaterThan(60)
    const end = heard.indexOf('\n')
    expect(JSON.parse(heard.toString('utf8', 0, end))).toMatchObject({ ok: true, port: 1 })
    expect(heard[end + 1]).toBe(RECORD_FRAME)
  } finally {
    gateway.destroy()
    fabric.close()
    listener.close()
    rmSync(directory, { recursive: true })
  }
})
