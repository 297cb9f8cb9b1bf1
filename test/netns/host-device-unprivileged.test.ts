/**
 * Host devices of a hub that an ordinary user runs: root is the only user in them.
 *
 *   [machine: hub of user 1234, topology lab: h1 --- lan]
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DeviceShell } from '#test/support/device-shell.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { RunningTopology } from '#test/support/topology.ts'

const USER = 1234
const TOPOLOGY = `#include "common.defs"
TOPOLOGY_START(lab)
  vm "h1" { hostname "h1"; CENTOS_LATEST interface "em1" { bridge "lan"; }; };
  PRIVATE_BRIDGES
TOPOLOGY_END
`
/** Its user namespace forbids further ones, as a machine may. */
const REFUSED = [
  'unshare --user --map-current-user --keep-caps'.split(' '),
  ['sh', '-c', 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"', 'sh'],
].flat()

let lab: Lab
let hub: Hub

beforeEach(() => {
  lab = new Lab()
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  await hub.process.stop('SIGTERM', 30_000)
  lab.close()
})

/** As on a machine where everybody may open /dev/net/tun. */
async function start(more: readonly string[] = []): Promise<void> {
  const tun = join(lab.directory, 'tun')
  execFileSync('mknod', ['-m', '666', tun, 'c', '10', '200'])
  const machine = lab.namespace('machine')
  const asUser = `mount --bind ${tun} /dev/net/tun
chown -R ${USER}:${USER} ${lab.directory}/hub-*
exec setpriv --reuid=${USER} --regid=${USER} --clear-groups -- ${more.map((word) => `'${word}'`).join(' ')} "$@"`
  hub = await Hub.start(machine, { address: '127.0.0.1', through: ['sh', '-c', asUser, 'sh'] })
}

it('have the tools of a network, and limits', async () => {
  await start()
  await RunningTopology.start(hub, 'lab', TOPOLOGY)
  const shell = await DeviceShell.open(hub, 'lab', 1)
  expect(await shell.run('id -u; hostname; ping -c 1 -W 5 127.0.0.1 | grep -o "1 received"')).toBe(
    '0\nh1\n1 received\n0',
  )
  const capture =
    'ping -i 0.2 -w 20 127.0.0.1 > /dev/null & tcpdump --immediate-mode -c 1 -n -i lo icmp 2>&1; kill $!'
  expect(await shell.run(capture)).toMatch(/IP 127\.0\.0\.1 > 127\.0\.0\.1: ICMP echo request/)
  await shell.run(
    'ssh-keygen -A; mkdir -p .ssh; ssh-keygen -q -t ed25519 -N "" -f .ssh/id_ed25519; cp .ssh/id_ed25519.pub .ssh/authorized_keys; /usr/sbin/sshd',
  )
  expect(await shell.run('ssh -n -o StrictHostKeyChecking=no -tt 127.0.0.1 tty 2>/dev/null')).toMatch(
    /^\/dev\/pts\/\d+\n0$/,
  )
  expect(await shell.run(`ls ${hub.data}; ls ${lab.directory}`)).toMatch(/No such file.*\n.*No such file/)
  expect(await shell.run(`kill -9 ${hub.process.pid}`)).toMatch(/No such process\n1$/)
  expect(
    await shell.run('python3 -c "\nx = []\nwhile True: x.append(bytearray(1 << 24))" 2>&1 | tail -1'),
  ).toBe('MemoryError\n0')
  const many =
    'import os, time\nx = []\nfor i in range(32):\n  f = os.memfd_create(str(i))\n  x.append(f)\n  os.write(f, bytes(1 << 24))'
  expect(await shell.run(`python3 -c "\n${many}\ntime.sleep(60)"`)).toMatch(/Killed\n137$/)
  expect(await shell.run('cd /proc/sys/kernel; echo $(cat sem msgmni)')).toBe('250 32000 32 128 128\n0')
  shell.close()
})

it('fail with the reason and the remedy where namespaces are refused', async () => {
  await start(REFUSED)
  const topology = await RunningTopology.begin(hub, 'lab', TOPOLOGY)
  await topology.until(({ devices: [h1] }) => h1?.state === 'failed')
  const { devices } = await topology.status()
  expect(devices[0]?.reason).toContain(
    'cannot make namespaces: no space left on device (this machine allows none: sysctl -w user.max_user_namespaces=10000)',
  )
})
