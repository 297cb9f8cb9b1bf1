import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { listeningPorts, portsOf } from '#hub/topology/listening-ports.ts'

it('are those that programs listen on, not those of connections', () => {
  expect(
    portsOf(`  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1389 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
  12: 0100007F:C001 0100007F:1389 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4 30 10 -1
`),
  ).toEqual([5001])
})

it('are found on this machine', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  expect(listeningPorts()).toContain(port)
  await new Promise((resolve) => server.close(resolve))
  expect(listeningPorts()).not.toContain(port)
})
