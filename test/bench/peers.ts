/** What people use today, set up as its manuals say and as fast as it goes. */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Way } from '#test/bench/measure.ts'
import type { Lab, Namespace } from '#test/support/netns.ts'
import { FAR_ADDRESS, HUB_ADDRESS, buildSite } from '#test/support/site.ts'
import type { Site } from '#test/support/site.ts'

export const CIPHER = 'aes128-gcm@openssh.com'
const SSH_PORT = 2200

/**
 *   [a eth0]---[a0  joining machine  b0]---[eth0 b]
 *    10.99.0.1                              10.99.0.2
 */
export function buildPair(lab: Lab): Way & { machine: Namespace } {
  const a = lab.namespace('a')
  const machine = lab.namespace('h')
  const b = lab.namespace('b')
  lab.link(a, 'eth0', machine, 'a0')
  lab.link(b, 'eth0', machine, 'b0')
  a.address('eth0', '10.99.0.1/24')
  b.address('eth0', '10.99.0.2/24')
  return { from: a, to: b, address: '10.99.0.2', joining: [machine], machine }
}

export function kernelBridge(lab: Lab): Promise<Way> {
  const way = buildPair(lab)
  way.machine.bridge('br0', ['a0', 'b0'])
  return Promise.resolve(way)
}

/**
 * A vde_switch on TAPs of its own, each in a kernel bridge with a network card. Slower were a `vde_plug2tap` for each
 * TAP; a `vde_pcapplug` on the card passes no super-frames.
 */
async function startVde(machine: Namespace, socket: string, cards: readonly string[]): Promise<void> {
  const taps = cards.map((card) => `tap-${card}`)
  const vde = machine.spawn('vde_switch', ['-s', socket, ...taps.flatMap((tap) => ['-t', tap])])
  vde.child.stdin.write('port/print\n')
  await vde.line(/^1000 Success/)
  for (const [i, card] of cards.entries()) {
    const tap = taps[i] ?? ''
    machine.ip('link', 'set', tap, 'up')
    machine.bridge(`br-${card}`, [card, tap])
  }
}

export async function vdeSwitch(lab: Lab): Promise<Way> {
  const way = buildPair(lab)
  await startVde(way.machine, join(lab.directory, 'switch.ctl'), ['a0', 'b0'])
  return way
}

/** An sshd of our own at the hub, and the arguments of `ssh` that reach it from the site. */
async function startSsh(lab: Lab, hub: Namespace): Promise<string[]> {
  const file = (name: string): string => join(lab.directory, name)
  for (const name of ['host-key', 'user-key'])
    await hub.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)])
  copyFileSync(file('user-key.pub'), file('authorized_keys'))
  chmodSync(file('authorized_keys'), 0o600)
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const configuration = {
    ListenAddress: `${HUB_ADDRESS}:${SSH_PORT}`,
    HostKey: file('host-key'),
    AuthorizedKeysFile: file('authorized_keys'),
    PidFile: 'none',
    StrictModes: 'no',
    UsePAM: 'no',
    PermitRootLogin: 'prohibit-password',
    PermitTunnel: 'ethernet',
    Ciphers: CIPHER,
    Compression: 'no',
    UseDNS: 'no',
  }
  const lines = Object.entries(configuration).map(([key, value]) => `${key} ${value}\n`)
  writeFileSync(file('sshd_config'), lines.join(''))
  await hub.spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file('sshd_config')]).line(/Server listening/)
  const checks = [
    '-o',
    'BatchMode=yes',
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
  ]
  const who = ['-i', file('user-key'), '-p', String(SSH_PORT), `root@${HUB_ADDRESS}`]
  return ['-F', 'none', ...checks, '-o', 'LogLevel=ERROR', '-c', CIPHER, ...who]
}

export const wayOf = ({ pc, site, hub, far }: Site): Way => ({
  from: pc,
  to: far,
  address: FAR_ADDRESS,
  joining: [site, hub],
})

/** `dpipe vde_plug SITE = ssh HUB vde_plug HUB` between two switches. */
export async function vdeOverSsh(lab: Lab, site = buildSite(lab)): Promise<Way> {
  const ssh = await startSsh(lab, site.hub)
  const [near, far] = [join(lab.directory, 'site.ctl'), join(lab.directory, 'hub.ctl')]
  await startVde(site.site, near, ['lan'])
  await startVde(site.hub, far, ['lan'])
  site.site.spawn('dpipe', ['vde_plug', near, '=', 'ssh', ...ssh, 'vde_plug', far])
  return wayOf(site)
}

/** `ssh -w` with `Tunnel=ethernet`, its TAPs in a kernel bridge with the network card at both ends. */
export async function sshTunnel(lab: Lab, site = buildSite(lab)): Promise<Way> {
  const ssh = await startSsh(lab, site.hub)
  for (const machine of [site.site, site.hub]) {
    machine.tap('tap0')
    machine.bridge('br0', ['lan', 'tap0'])
  }
  site.site.spawn('ssh', [
    '-N',
    '-o',
    'Tunnel=ethernet',
    '-w',
    '0:0',
    '-o',
    'ExitOnForwardFailure=yes',
    ...ssh,
  ])
  return wayOf(site)
}
