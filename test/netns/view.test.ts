/**
 * `hconnect --tui` on terminals of tmux's, as people see it: figures of known frames, keys, sizes, and the terminal as it
 * was before, however the program ends.
 *
 *   [pc eth0]---[lan  site  wan]---[site  wan  hub]---[wan  hub  lan]---[eth0 far]
 *                 hconnect in tmux     (bridge)         hybridge
 */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { agentArguments } from '#test/support/agent.ts'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import { AGENT_COMMAND } from '#test/support/product.ts'
import { HUB_ADDRESS, buildSite, type Site } from '#test/support/site.ts'
import { Tmux, type TmuxOptions } from '#test/support/tmux.ts'

const SMALL = { columns: 80, rows: 24 }
/** A module that throws where nobody catches it, at SIGUSR2. */
const CRASH = "process.on('SIGUSR2', () => setImmediate(() => { throw new Error('provoked') }))\n"

let lab: Lab
let site: Site
let hub: Hub

beforeAll(async () => {
  lab = new Lab()
  site = buildSite(lab)
  hub = await Hub.start(site.hub, { address: HUB_ADDRESS, attach: ['private0=nic:lan'] })
  const command = [process.execPath, AGENT_COMMAND, ...agentArguments(site.site, { hub, nic: 'lan' })]
  const script = join(lab.directory, 'agent')
  writeFileSync(script, `#!/bin/sh\necho $$ >${script}.pid\nexec ${command.join(' ')} "$@"\n`)
  chmodSync(script, 0o755)
  writeFileSync(file('crash.mjs'), CRASH)
})
afterAll(() => lab.close())

const file = (name: string): string => join(lab.directory, name)
const agentPid = (): number => Number(readFileSync(file('agent.pid'), 'utf8'))

/** What `stty -a` wrote, without the size. */
const terminalSettings = (name: string): string =>
  readFileSync(file(name), 'utf8').replace(/rows \d+; columns \d+/, '')

/** A shell that has written down the settings of its terminal, and started the view. */
async function startView(options: TmuxOptions, before = ''): Promise<Tmux> {
  const tmux = await Tmux.start(site.site, options)
  tmux.type(`stty -a >${file('before')}; ${before} ${file('agent')} --tui; echo "exit=$?"`)
  tmux.press('Enter')
  await tmux.shows(/^connected to 10\.98\.0\.2, bridge private0 +up 00:/)
  return tmux
}

/** The program has ended with a code, and the terminal is the shell's again: its settings, its screen, its cursor. */
async function expectRestored(tmux: Tmux, exitCode: number): Promise<string[]> {
  await tmux.shows(new RegExp(`^exit=${exitCode}$`))
  const screen = tmux.screen
  expect(screen.join('\n')).not.toContain('1 Overview')
  expect(screen.join('\n')).toMatch(/^Checking connection to 10\.98\.0\.2 +\[ok\]$/m)
  tmux.type(`stty -a >${file('after')}; echo "cursor""=seen"`)
  tmux.press('Enter')
  await tmux.shows(/^cursor=seen$/)
  expect(terminalSettings('after')).toBe(terminalSettings('before'))
  expect(tmux.isCursorVisible).toBe(true)
  return screen
}

const frames = (count: number, length: number, source: string): Buffer[] =>
  Array.from({ length: count }, (_, seed) => makeFrame({ length, seed, source }))

describe('the full-screen view', () => {
  it('counts what was sent, obeys its keys and ends with a last report, at 80x24', async () => {
    const tmux = await startView(SMALL)
    await sendFrames(site.pc, 'eth0', frames(25, 100, '02:00:00:00:00:01'))
    await sendFrames(site.far, 'eth0', frames(4, 60, '02:00:00:00:00:02'))
    await tmux.shows(/^▶ {3}1 nic:lan +up +25 +\S.* +4 +\S.* +0$/)
    await tmux.shows(/^private0, at the hub$/)
    tmux.press('2')
    await tmux.shows(/^▶ {3}1 nic:lan +in +25 +2\.50 k +\S+.* 0$/)
    await tmux.shows(/^ {4}2 tunnel:private0 +in +4 +240 /)
    await tmux.shows(/^ +up +out +4 +240 /)
    await tmux.shows(/^ +up +out +25 +2\.50 k /)
    await tmux.shows(/[▁-█]/)

    tmux.press('?')
    await tmux.shows(/^f, space +freeze/)
    tmux.press('x')
    await tmux.hides(/^f, space/)
    tmux.press('s')
    await tmux.shows(/^── Ports .* by name, bit\/s ──$/)
    tmux.press('u')
    await tmux.shows(/^ +# port +packets +bytes +pkt\/s +byte\/s +drops$/)
    tmux.press('/')
    tmux.type('tun')
    await tmux.hides(/ nic:lan +in /)
    await tmux.shows(/^Show only: tun_$/)
    tmux.press('Enter')
    await tmux.shows(/only "tun"/)
    tmux.press('Escape')
    await tmux.shows(/^▶ {3}1 nic:lan +in +25 /)
    tmux.press('f')
    await tmux.shows(/FROZEN \d\d:\d\d:\d\d$/)
    tmux.press('Space', 'r')
    await tmux.shows(/^▶ {3}1 nic:lan +in +0 +0 /)
    tmux.press('5')
    await tmux.shows(/^\d\d:\d\d:\d\d connected to 10\.98\.0\.2$/)
    tmux.press('c')
    await tmux.shows(/^Capture nic:lan to file: nic-lan-.*\.pcapng_$/)
    tmux.press('Escape')
    await tmux.hides(/^Capture nic:lan/)
    tmux.press('1')

    tmux.press('q')
    await tmux.shows(/^Quit\? y or n/)
    tmux.press('n')
    await tmux.hides(/^Quit\?/)
    tmux.press('q', 'y')
    const screen = await expectRestored(tmux, 0)
    expect(screen.filter((row) => row.startsWith(' IN:')).map((row) => row.split(/ +/).slice(3))).toEqual([
      ['25', 'bytes', '2500'],
      ['4', 'bytes', '240'],
    ])

    tmux.type(`clear; TERM=dumb ${file('agent')} --tui; echo "exit=$?"`)
    tmux.press('Enter')
    await tmux.shows(/^hconnect: the full-screen view needs a terminal that can move its cursor/)
    await tmux.shows(/^exit=2$/)
  })

  it('grows to 200x50 and shrinks to 40x10; a hub that is gone is told in words; SIGTERM gives the terminal back', async () => {
    const tmux = await startView({ columns: 200, rows: 50, env: { NO_COLOR: '1' } })
    await tmux.shows(/^▶ {3}1 nic:lan +up +0 +0 .* why dropped$|^▶ {3}1 nic:lan +up +0 +0 +0 +0 +0 +0 +0 /)
    expect(tmux.screen.length).toBe(50)
    tmux.resize(40, 10)
    await tmux.shows(/^▶ nic:lan +(in|up) /)
    expect(tmux.screen[9]).toMatch(/^\? help/)
    tmux.resize(80, 24)
    await tmux.shows(/^▶ {3}1 nic:lan +(in|up) /)
    await hub.stop()
    await tmux.shows(/^DISCONNECTED since \d\d:\d\d:\d\d, attempt \d+ /)
    await tmux.shows(/^cannot reach the hub 10\.98\.0\.2:2222: connection refused/)
    await hub.serve()
    await tmux.shows(/^connected to 10\.98\.0\.2/)
    process.kill(agentPid(), 'SIGTERM')
    await expectRestored(tmux, 0)
  })

  it('gives the terminal back to the shell at Ctrl-Z and when it crashes, and the message is seen then', async () => {
    const tmux = await startView({ ...SMALL, term: 'vt100' }, `NODE_OPTIONS=--import=${file('crash.mjs')}`)
    await tmux.shows(/^> {3}1 nic:lan +(in|up) /)
    tmux.press('C-z')
    await tmux.shows(/Stopped/)
    tmux.type('fg; echo "exit=$?"')
    tmux.press('Enter')
    await tmux.shows(/^> {3}1 nic:lan +(in|up) /)
    process.kill(agentPid(), 'SIGUSR2')
    const screen = await expectRestored(tmux, 1)
    expect(screen.some((row) => row.startsWith('Error: provoked'))).toBe(true)
    expect(site.site.state('lan').promiscuity).toBe(0)
  })
})
