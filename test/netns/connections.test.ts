/**
 * A far hub that may not force socket buffers: several connections carry one tunnel.
 *
 *   [pc eth0]---[lan  site  wan]---[site  WAN  hub]---[wan  hub  lan]---[eth0 far lan]---[eth0 host]
 */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { buildFarSite } from '#test/bench/far-site.ts'
import { startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'

let lab: Lab

beforeEach(() => {
  lab = new Lab()
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
  lab.close()
})

it('tries', { timeout: 120_000 }, async () => {
  const site = await buildFarSite(lab, 'delay=50ms')
  const host = lab.namespace('host')
  lab.link(site.far, 'lan', host, 'eth0')
  host.address('eth0', '10.99.0.3/24')
  site.hub.address('lan', '10.97.0.1/24')
  site.far.ip('address', 'flush', 'dev', 'eth0')
  site.far.address('eth0', '10.97.0.2/24')
  for (const machine of [site.site, site.hub, site.far]) machine.sysctl({ 'net.ipv4.tcp_wmem': '4096 16384 1048576' })
  const real = site.hub.spawn.bind(site.hub)
  site.hub.spawn = (name, args, options) =>
    real('setpriv', ['--bounding-set', '-net_admin', '--inh-caps', '-net_admin', name, ...(args ?? [])], options)
  const hub = await Hub.start(site.hub, { address: '0.0.0.0' })
  site.hub.spawn = real
  const far = await startAgent(site.far, { hub, host: '10.97.0.1', nic: 'lan', json: true })
  const realSite = site.site.spawn.bind(site.site)
  if (process.env['PRIV'] === undefined) site.site.spawn = (name, args, options) =>
    realSite('setpriv', ['--bounding-set', '-net_admin', '--inh-caps', '-net_admin', name, ...(args ?? [])], options)
  const agent = await startAgent(site.site, { hub, host: '10.98.0.2', nic: 'lan', json: true, args: ['--connections', process.env['CONNS'] ?? 'auto'] })
  await site.pc.reaches('10.99.0.3')
  host.spawn('iperf3', ['-s'])
  await host.listening(5201)
  const one = await site.pc.run('iperf3', ['-c', '10.99.0.3', '-t', '20', '-P', '8', '-i', '1', ...(process.env['REV'] ? ['-R'] : [])], { timeoutMs: 60_000 })
  console.log(one.stdout.split('\n').filter((l) => /SUM/.test(l)).join('\n'))
  console.log(one.stdout.split('\n').filter((l) => /sender|receiver/.test(l)).join('\n'))
  console.log(site.site.exec('ss', '-tinH', 'dport', '=', ':2222').replaceAll(/  +|(?<= )(bbr|wscale|rto|ato|mss|pmtu|rcvmss|advmss|segs_\w+|lastsnd|lastrcv|lastack|rcv_\w+|snd_wnd|send|bbr):?\S* /g, ''))
  console.log(agent.lines.filter((l) => !/"report"/.test(l)).join('\n'))
  console.log(agent.lines.at(-1))
  expect(1).toBe(1)
})
