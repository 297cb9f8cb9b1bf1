/**
 * `hybridge top` on a terminal of tmux's, with known traffic.
 *
 *   [site lan0]---[lan site wan]---[wan hub lan]---[eth0 far]
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { agentArguments, startAgent } from '#test/support/agent.ts'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { readPcapng } from '#test/support/pcapng.ts'
import { until } from '#test/support/process.ts'
import { AGENT_COMMAND, HUB_COMMAND } from '#test/support/product.ts'
import { Tmux } from '#test/support/tmux.ts'

const TALKER = '02:00:00:00:0a:0b'
let lab: Lab
let machine: Namespace
let site: Namespace
let far: Namespace
let pc: Namespace
let hub: Hub

beforeAll(async () => {
  lab = new Lab()
  machine = lab.namespace('hub')
  site = lab.namespace('site')
  far = lab.namespace('far')
  pc = lab.namespace('pc')
  lab.link(machine, 'lan', far, 'eth0')
  lab.link(machine, 'wan', site, 'wan')
  lab.link(site, 'lan', pc, 'eth0')
  machine.address('wan', '10.97.0.2/24')
  site.address('wan', '10.97.0.1/24')
  hub = await Hub.start(machine, {
    address: '10.97.0.2',
    bridges: ['private0', 'private1'],
    attach: ['private0=nic:lan'],
  })
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

const frames = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, seed) =>
    makeFrame({ source: TALKER, tags: [[0x8100, 30]], length: 1000, seed }),
  )

it('prints lines of JSON', async () => {
  const top = machine.spawn(process.execPath, [
    HUB_COMMAND,
    'top',
    'private0',
    '--json',
    '--interval=0.2',
    `--data=${hub.data}`,
  ])
  await top.line(/^\{"time":/)
  await sendFrames(far, 'eth0', frames(7))
  const [line] = await top.line(/.*"frames":7,.*/)
  const talker = { bridge: 'private0', port: 1, address: TALKER, vlan: 30, frames: 7, octets: 7000 }
  expect(JSON.parse(line)).toMatchObject({
    bridges: [{ name: 'private0', ports: [{ number: 1, name: 'nic:lan', up: true }] }],
    talkers: expect.arrayContaining([talker]),
  })
  await top.stop()
  const { code, stdout } = await hub.command(['top', '--json', '--count', '2', '--interval', '0.1'])
  expect([code, stdout.match(/^\{"time":/gm)?.length]).toEqual([0, 2])
})

it('says what it needs', async () => {
  const piped = await hub.command(['top'], { check: false })
  expect(piped).toMatchObject({ code: 2, stderr: expect.stringContaining('hybridge show ports') })
  const unknown = await hub.command(['top', 'other', '--json'], { check: false })
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('no bridge "other" here') })
})

it('shows bridges, ports, tunnels, talkers and events, captures, impairs, and outlives the hub', async () => {
  const tmux = await Tmux.start(machine, { columns: 120, rows: 40 })
  tmux.type(`cd ${machine.directory}; node ${HUB_COMMAND} top --data ${hub.data}`)
  tmux.press('Enter')
  await tmux.shows(/nic:lan/)
  const agent = await startAgent(site, { hub, nic: 'lan' })
  await tmux.shows(/tunnel:ann@.*:lan/)
  await tmux.shows(/ann@.*:lan joined private0 as port 2/)
  tmux.press('3')
  await tmux.shows(/ann@.*:lan on private0 port 2.*10\.97\.0\.1.*\d ms/)
  tmux.press('4')
  await sendFrames(far, 'eth0', frames(50))
  await tmux.shows(new RegExp(`${TALKER} .*30 `))

  tmux.press('2', 'c')
  const file = join(machine.directory, 'a.pcapng')
  tmux.press('C-u')
  tmux.type('a.pcapng')
  tmux.press('Enter')
  await tmux.shows(/capturing nic:lan to a\.pcapng/)
  await sendFrames(far, 'eth0', frames(9))
  await until('the packets', () => statSync(file).size > 9000)
  tmux.press('c')
  await tmux.shows(/capture of nic:lan ended: \d+ packets, 0 lost/)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readPcapng(readFileSync(file)).packets.filter(({ length }) => length === 1000)).toHaveLength(9)

  tmux.press('i')
  tmux.type('loss=100%')
  tmux.press('Enter')
  await tmux.shows(/nic:lan is impaired: loss=100%/)
  const { stdout } = await hub.command(['show', 'ports', 'private0', '--json'])
  expect(JSON.parse(stdout)).toMatchObject([
    { settings: { 'impair-in': expect.stringMatching(/^loss=100%/) } },
    {},
  ])

  await agent.stop()
  await hub.stop()
  await tmux.shows(/the hub has stopped/)
  tmux.press('5')
  await hub.serve()
  await tmux.shows(/the hub answers again/)
  await tmux.shows(/counters began at 0/)
  tmux.press('q', 'y')
  await tmux.shows(/^\$$/)
})

it('shows an agent the ports of the hub, captures and impairs its own', async () => {
  const file = join(site.directory, 'lan.pcapng')
  const args = agentArguments(site, { hub, nic: 'lan', args: ['--tui', '--capture', file] })
  const tmux = await Tmux.start(site, { columns: 120, rows: 40 })
  tmux.type(`node ${AGENT_COMMAND} ${args.join(' ')}`)
  tmux.press('Enter')
  await tmux.shows(/nic:lan/)
  tmux.press('2')
  await tmux.shows(/private0, at the hub/)
  await tmux.shows(/tunnel:ann@/)
  tmux.press('i')
  tmux.type('loss=100%')
  tmux.press('Enter')
  await tmux.shows(/nic:lan is impaired: loss=100%/)
  await sendFrames(pc, 'eth0', frames(5))
  tmux.press('4')
  await tmux.shows(new RegExp(`${TALKER}.*30 this machine`))
  tmux.press('q', 'y')
  await tmux.shows(/captured \d+ packets, 0 lost/)
  expect(readPcapng(readFileSync(file)).packets.filter(({ length }) => length === 1000)).toHaveLength(5)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})
