/**
 * `npm run demo`: hub, agent, a lab PC at the agent's site and a host on the hub's switch, on this machine, each in a
 * network namespace of its own. Shows that they are one LAN, and then the PC as a part of a topology; exit code 0 only if
 * all of it worked.
 */
import { basename, join } from 'node:path'
import { reasonOf } from '#net/base/errors.ts'
import { agentArguments, startAgent } from '#test/support/agent.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { FAR_ADDRESS, HUB_ADDRESS, PC_ADDRESS, type Site, buildSite } from '#test/support/site.ts'

/** Of pc2 in examples/two-lans. */
const TOPOLOGY_ADDRESS = '198.51.100.12'
const START_MS = 60_000

const heading = (text: string): void => console.log(`\n== ${text}`)
const typed = (machine: string, line: string): void => console.log(`${machine}# ${line}`)
const show = (text: string): void => console.log(text.trimEnd().replace(/^/gm, '    '))

function check(good: boolean, what: string): void {
  if (!good) throw new Error(what)
}

/** The agent's last report, from the rule above its date. */
function lastReport(output: string): string {
  const lines = output.split('\n')
  const date = lines.findLastIndex((line) => line.startsWith('date:'))
  check(date > 0, `the agent printed no report:\n${output}`)
  return lines.slice(date - 1).join('\n')
}

/** The lab PC in the network of a topology's bridge: it pings a host behind another one. */
async function showTopology({ pc, site }: Site, hub: Hub, knownHosts: string): Promise<void> {
  heading('A topology of three hosts: pc1 --- private0 --- gw --- private1 --- pc2')
  typed('hub', `hybridge topology start examples/two-lans --data ${hub.data}`)
  show((await hub.command(['topology', 'start', 'examples/two-lans'], { timeoutMs: START_MS })).stdout)

  heading('The LAN joins its bridge private0, and the lab PC has an address there')
  const options = { hub, nic: 'lan', bridge: 'two-lans/private0', knownHosts }
  typed('site', `hconnect ${agentArguments(site, options).join(' ')}`)
  const agent = await startAgent(site, options)
  for (const words of ['address add 192.0.2.50/24 dev eth0', `route add ${TOPOLOGY_ADDRESS} via 192.0.2.1`]) {
    typed('pc', `ip ${words}`)
    pc.ip(...words.split(' '))
  }
  typed('pc', `ping -c 3 -i 0.2 ${TOPOLOGY_ADDRESS}`)
  await pc.reaches(TOPOLOGY_ADDRESS)
  const ping = await pc.run('ping', ['-c', '3', '-i', '0.2', TOPOLOGY_ADDRESS])
  show(ping.stdout)
  check(/ 0% packet loss/.test(ping.stdout), 'pings of the topology were lost')
  typed('hub', `hybridge connector show two-lans/private0 --data ${hub.data}`)
  show((await hub.command(['connector', 'show', 'two-lans/private0'])).stdout)
  await agent.stop('SIGINT')
  typed('hub', `hybridge topology stop two-lans --data ${hub.data}`)
  show((await hub.command(['topology', 'stop', 'two-lans'])).stdout)
}

async function demonstrate(lab: Lab): Promise<void> {
  heading('The laboratory: five machines')
  show(
    `pc --- site --- wan --- hub --- far\nThe lab PC (${PC_ADDRESS}) is on the LAN of the site, the far host (${FAR_ADDRESS}) on a switch of the hub.`,
  )
  const all = buildSite(lab)
  const { pc, site, hub: machine, far } = all

  heading('The hub: a user with a key, a switch, a network card on it')
  const hub = await Hub.start(machine, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
  typed('hub', `hybridge user add ${hub.user} --key ${basename(hub.identity)}.pub --data ${hub.data}`)
  typed('hub', hub.commandLine)
  show(`ready ssh=${hub.address}:${hub.port}`)

  heading('The agent: the LAN behind its card joins the switch')
  const options = { hub, nic: 'lan', knownHosts: join(lab.directory, 'known_hosts') }
  typed('site', `hconnect ${agentArguments(site, options).join(' ')}`)
  const agent = await startAgent(site, options)
  show(agent.stdout.slice(0, agent.stdout.indexOf('\n-----')))

  heading('The lab PC reaches the far host')
  typed('pc', `ping -c 3 -i 0.2 ${FAR_ADDRESS}`)
  await pc.reaches(FAR_ADDRESS)
  const ping = await pc.run('ping', ['-c', '3', '-i', '0.2', FAR_ADDRESS])
  show(ping.stdout)
  check(/ 0% packet loss/.test(ping.stdout), 'pings were lost')

  heading('Three seconds of TCP through the tunnel')
  far.spawn('iperf3', ['-s'])
  await far.listening(5201)
  typed('pc', `iperf3 -c ${FAR_ADDRESS} -t 3 -f m`)
  const tcp = await pc.run('iperf3', ['-c', FAR_ADDRESS, '-t', '3', '-f', 'm'])
  const received = tcp.stdout.split('\n').find((line) => line.endsWith('receiver')) ?? ''
  show(received)
  check(Number(/ ([\d.]+) Mbits\/sec/.exec(received)?.[1]) > 0, `nothing was received:\n${tcp.stdout}`)

  heading('Ctrl-C at the agent: its last report')
  const { code, stdout } = await agent.stop('SIGINT')
  const report = lastReport(stdout)
  show(report)
  check(code === 0, `hconnect ended with exit code ${code}`)
  const counters = [...report.matchAll(/(?:IN|OUT): +pkts +(\d+) +bytes +(\d+)/g)]
  check(counters.length === 4, 'the report does not count two ports both ways')
  check(
    counters.every((match) => Number(match[1]) > 0 && Number(match[2]) > 0),
    'a counter of the report is zero',
  )

  await showTopology(all, hub, options.knownHosts)

  heading('The hub ends')
  const ended = await hub.stop()
  check(ended.code === 0, `hybridge ended with exit code ${ended.code}\n${ended.stderr}`)
}

const started = performance.now()
try {
  const lab = new Lab()
  try {
    await demonstrate(lab)
  } finally {
    lab.close()
  }
  console.log(
    `\nAll of it worked, in ${((performance.now() - started) / 1000).toFixed(1)} s. Nothing was left behind.`,
  )
} catch (error) {
  console.error(`\ndemo: ${reasonOf(error)}`)
  process.exitCode = 1
}
