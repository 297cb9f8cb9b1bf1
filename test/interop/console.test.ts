/**
 * Consoles of devices, looked at with real clients on real terminals (tmux): telnet, OpenSSH, `hybridge device console`.
 *
 *   [machine: telnet, ssh --- lo --- hub, topology lab: h1 h2]
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import type { Namespace } from '#test/support/netns.ts'
import type { Finished } from '#test/support/process.ts'
import { HUB_COMMAND } from '#test/support/product.ts'
import { Tmux } from '#test/support/tmux.ts'
import { RunningTopology } from '#test/support/topology.ts'

const SIZE = { columns: 90, rows: 28 }

let lab: Lab
let machine: Namespace
let hub: Hub
let topology: RunningTopology

beforeAll(async () => {
  lab = new Lab()
  machine = lab.namespace('hub')
  hub = await Hub.start(machine, { address: '127.0.0.1' })
  // Has the TCP port that the second console would have.
  machine.spawn('socat', ['TCP-LISTEN:5002,bind=127.0.0.1,fork', 'EXEC:true'])
  await machine.listening(5002)
  topology = await RunningTopology.start(
    hub,
    'lab',
    `#include "common.defs"
TOPOLOGY_START(lab)
  vm "h1" { hostname "h1"; CENTOS_LATEST interface "em0" { bridge "lan"; }; };
  vm "h2" { hostname "h2"; CENTOS_LATEST interface "em0" { bridge "lan"; }; };
  PRIVATE_BRIDGES
TOPOLOGY_END
`,
  )
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(async () => {
  await hub.process.stop('SIGTERM', 30_000) // with the devices, whose processes are not in the machine's namespace
  lab.close()
})

const sshWords = (...more: string[]): string[] => {
  const settings = [
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'BatchMode=yes',
    'StrictHostKeyChecking=accept-new',
    `UserKnownHostsFile=${hub.identity}.known`,
    'LogLevel=ERROR',
  ].flatMap((setting) => ['-o', setting])
  return ['ssh', '-F', 'none', '-p', '2222', '-i', hub.identity, ...settings, ...more]
}

const ssh = (command: readonly string[], input = ''): Promise<Finished> => {
  const [program = '', ...words] = sshWords('ann@127.0.0.1', ...command)
  return machine.run(program, words, { check: false, input })
}

/** A terminal that runs a command. */
async function terminal(command: string): Promise<Tmux> {
  const tmux = await Tmux.start(machine, SIZE)
  tmux.type(`clear; ${command}`)
  tmux.press('Enter')
  return tmux
}

/** Types a command and waits for what only its output shows. */
async function run(tmux: Tmux, command: string, output: RegExp): Promise<string> {
  tmux.type(command)
  tmux.press('Enter')
  return tmux.shows(output)
}

describe('a console', () => {
  it('is looked at by telnet and ssh at once, taken over, lost with its device and found again', async () => {
    const telnet = await terminal('telnet -E 127.0.0.1 5001')
    await telnet.shows(/^\[console of lab\/h1; Ctrl-\] \? helps\]/)
    expect(await run(telnet, 'echo grün-$((6*7)); stty size', /^grün-\d+$/)).toBe('grün-42')
    await telnet.shows(/^28 90$/)
    telnet.resize(70, 20)
    await run(telnet, 'stty size', /^20 70$/)

    // Who comes later sees what there was, and what comes.
    const second = await terminal(`${sshWords('-t').join(' ')} ann@127.0.0.1 console h1`)
    await second.shows(/^grün-42$/)
    await second.shows(/^\[you look on, telnet from port \d+ types; Ctrl-\] t takes over\]$/)
    await telnet.shows(/^\[ann from 127\.0\.0\.1 looks on\]$/)
    await run(telnet, 'echo one-$((1+1))', /^one-2$/)
    await second.shows(/^one-2$/)

    second.press('C-]', 't')
    await second.shows(/^\[you type now, telnet from port \d+ looks on\]$/)
    await telnet.shows(/^\[ann from 127\.0\.0\.1 has taken over, you look on; Ctrl-\] t takes over\]$/)
    await run(second, 'stty size', /^28 90$/)
    second.resize(75, 25)
    await run(second, 'stty size', /^25 75$/)

    process.kill((await topology.device(1)).pid, 'SIGKILL')
    for (const one of [telnet, second]) {
      await one.shows(/^\[lab\/h1 is not running; waiting \.\.\.\]$/)
      await one.shows(/^\[lab\/h1 is back\]$/, 30_000)
    }
    // Who typed types again.
    await run(second, 'echo back-$((2+2))', /^back-4$/)
    await telnet.shows(/^back-4$/)

    second.press('C-]', 'q')
    await second.shows(/^\$$/)
    telnet.press('C-]', 'q')
    await telnet.shows(/Connection closed/)
  })

  it('is looked at from the hub itself, whose terminal is as before at every end', async () => {
    const command = `${process.execPath} ${HUB_COMMAND} device console h2 --data ${hub.data}`
    const local = await terminal(`${command}; stty -a`)
    await local.shows(/^\[console of lab\/h2; Ctrl-\] \? helps\]/)
    await run(local, 'echo four-$((2+2))', /^four-4$/)
    const pids = machine.exec('pgrep', '-f', 'device console h2 --data').trim().split('\n').map(Number)
    for (const pid of pids) if (machine.pids().includes(pid)) process.kill(pid, 'SIGTERM')
    expect(await local.shows(/icanon/)).toMatch(/^isig icanon iexten echo /)
  })

  it('is there for programs', async () => {
    expect(await ssh(['devices'])).toMatchObject({ code: 0, stdout: 'lab/h1\trunning\nlab/h2\trunning\n' })
    expect(await ssh(['console', 'lab/h2'], 'echo two-$((1+1))\n')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^two-2\r$/m),
      stderr: '',
    })
    const local = await hub.command(['device', 'console', 'h2'], { input: 'echo three-$((1+2))\n' })
    expect(local.stdout).toMatch(/^two-2\r$[^]*^three-3\r$/m)
    expect(await ssh(['console', 'h3'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('no running topology of yours has a device "h3"'),
    })
  })

  it('has a TCP port that no other program has', async () => {
    const { devices } = await topology.status()
    expect(devices.map(({ consolePort }) => consolePort)).toEqual([5001, 5003])
    const telnet = await terminal('telnet 127.0.0.1 5003')
    await telnet.shows(/^\[console of lab\/h2/)
    await run(telnet, 'hostname', /^h2$/)
    telnet.press('C-]')
    await telnet.shows(/^telnet>/)
    telnet.type('send escape')
    telnet.press('Enter')
    await telnet.shows(/^\[t take over, q quit/)
    telnet.press('q')
    expect(await telnet.shows(/goes on/)).toBe('[lab/h2 goes on]')
  })
})
