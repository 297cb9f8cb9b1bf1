/**
 * Captures of a hub, read by tcpdump and tshark from pipes, and through OpenSSH.
 *
 *   [pc eth0]---[lan0  hub  lan1]---[eth0 far]
 *   [pc wan 10.98.0.1]---[wan 10.98.0.2 hub]
 */
import { copyFileSync, chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { packetBlockLength } from '#net/pcapng/blocks.ts'
import { Capture } from '#test/support/capture.ts'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { Lab } from '#test/support/netns.ts'
import type { Namespace } from '#test/support/netns.ts'
import { readPcapng } from '#test/support/pcapng.ts'
import { until } from '#test/support/process.ts'
import type { Finished, Running } from '#test/support/process.ts'
import { HUB_COMMAND } from '#test/support/product.ts'

const HUB_ADDRESS = '10.98.0.2'
const EXTCAP = join(import.meta.dirname, '../../docs/extcap/hybridge')
/** No EtherType of any program. */
const OURS = 'ether proto 0x88b5'

let lab: Lab
let pc: Namespace
let machine: Namespace
let far: Namespace
let hub: Hub
let knownHosts: string

beforeAll(async () => {
  lab = new Lab()
  pc = lab.namespace('pc')
  far = lab.namespace('far')
  machine = lab.namespace('hub')
  lab.link(pc, 'eth0', machine, 'lan0')
  lab.link(machine, 'lan1', far, 'eth0')
  lab.link(pc, 'wan', machine, 'wan')
  pc.address('wan', '10.98.0.1/24')
  machine.address('wan', `${HUB_ADDRESS}/24`)
  const attach = ['private0=nic:lan0,mode=access,vlan=10,storm=10000', 'private0=nic:lan1']
  hub = await Hub.start(machine, { address: HUB_ADDRESS, attach })
  knownHosts = join(lab.directory, 'known_hosts')
  writeFileSync(knownHosts, (await pc.run('ssh-keyscan', ['-p', '2222', HUB_ADDRESS])).stdout)
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(() => lab.close())

const quoted = (word: string): string => `'${word}'`
const hybridge = (...args: string[]): string =>
  [process.execPath, HUB_COMMAND, 'capture', 'private0', ...args, '--data', hub.data].map(quoted).join(' ')
const ssh = (...command: string[]): string => {
  const how = `-F none -p 2222 -i ${hub.identity} -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile=${knownHosts}`
  return ['ssh', ...how.split(' '), `${hub.user}@${HUB_ADDRESS}`, ...command].map(quoted).join(' ')
}
/** `ssh HUB capture ...` to its end. */
const sshCapture = (...words: string[]): Promise<Finished> =>
  pc.run('sh', ['-c', ssh('capture', ...words)], { check: false })
/** `hybridge capture ...` to its end. */
const capturing = (...args: string[]): Promise<Finished> =>
  hub.command(['capture', ...args], { check: false })
const askExtcap = async (...args: string[]): Promise<string> => (await pc.run(EXTCAP, args)).stdout

/** A capture that `reader` reads from a pipe, running when this resolves; what is returned has its standard error. */
async function piped(where: Namespace, capture: string, reader: string): Promise<Running> {
  // tshark says in three pieces that it is root: the capture's own lines would end up between them.
  const log = join(lab.directory, 'readers.log')
  return begun(where, `${capture} | { ${reader}; } 2>>'${log}'`)
}

/** A capture, running when this resolves. */
async function begun(where: Namespace, line: string): Promise<Running> {
  const running = where.spawn('sh', ['-c', line])
  await running.line(/^capturing private0/)
  return running
}

const tagged = (length: number, vlan: number): Buffer => makeFrame({ length, tags: [[0x8100, vlan]] })

describe('hybridge capture', () => {
  it('is read by tshark from a pipe: interfaces, directions, why frames were dropped', async () => {
    const fields = ['interface_name', 'interface_description', 'packet_flags_direction', 'comment', 'len']
    const tshark = `tshark -r - -T fields -E separator=, ${fields.map((field) => `-e frame.${field}`).join(' ')}`
    const capture = hybridge('--direction', 'both', '-c', '4', '--filter', OURS)
    const running = await piped(machine, capture, tshark)
    await sendFrames(pc, 'eth0', [makeFrame({ length: 60 }), tagged(70, 20)])
    await sendFrames(far, 'eth0', [tagged(80, 30)])
    const { code, stdout, stderr } = await running.exited
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toEqual([
      'private0/1,nic:lan0,0x00000001,,60',
      'private0/2,nic:lan1,0x00000002,,64',
      'private0/1,nic:lan0,0x00000001,dropped: vlan,70',
      'private0/2,nic:lan1,0x00000001,,80',
    ])
    expect(stderr).toContain('4 packets, 0 lost\n')
  })

  it('is an interface of tshark, as of wireshark -k -i -', async () => {
    // dumpcap, which both start, is the one that reads.
    const tshark =
      'tshark -l -i - -c 2 -T fields -E separator=, -e frame.interface_name -e frame.comment -e frame.len'
    const running = await piped(machine, hybridge('--filter', OURS), tshark)
    await sendFrames(pc, 'eth0', [makeFrame({ length: 60 }), tagged(70, 20), makeFrame({ length: 60 })])
    await running.line(/,70$/)
    while (running.alive) await sendFrames(pc, 'eth0', [makeFrame({ length: 63 })])
    const { stdout } = await running.exited
    expect(stdout).toBe('private0/1,,60\nprivate0/1,dropped: vlan,70\n')
  })

  it('is read by tcpdump as it comes, and ends when tcpdump has seen enough', async () => {
    const running = await piped(machine, hybridge('1', '--filter', OURS), 'tcpdump -n -e -l -r - -c 2')
    await sendFrames(pc, 'eth0', [makeFrame({ length: 61 })])
    await running.line(/0x88b5.* length 61/)
    await sendFrames(pc, 'eth0', [makeFrame({ length: 62 })])
    await running.line(/0x88b5.* length 62/)
    // Nobody reads any more: the next packet tells it.
    while (running.alive) await sendFrames(pc, 'eth0', [makeFrame({ length: 63 })])
    const { code } = await running.exited
    expect(code).toBe(0)
  })

  it('writes a whole file of its owner’s alone, which capinfos takes, and ends it at SIGINT', async () => {
    const file = join(lab.directory, 'mine.pcapng')
    const running = machine.spawn(process.execPath, [
      HUB_COMMAND,
      ...`capture private0 -w ${file} -s 20 --data ${hub.data} --filter`.split(' '),
      OURS,
    ])
    const size = (): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0
    const header = await until('the names of the ports', () => size() > 0 && size())
    await sendFrames(pc, 'eth0', [makeFrame({ length: 60 }), makeFrame({ length: 1514 })])
    await until('both packets', () => size() >= header + 2 * packetBlockLength(20, null))
    const { code, stderr } = await running.stop('SIGINT')
    expect([code, stderr]).toEqual([0, 'capturing private0; Ctrl-C ends it\n2 packets, 0 lost\n'])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const { packets, statistics } = readPcapng(readFileSync(file))
    expect(packets.map(({ length, octets }) => [length, octets.length])).toEqual([
      [60, 20],
      [1514, 20],
    ])
    expect(statistics).toEqual([
      { received: 2, dropped: 0 },
      { received: 0, dropped: 0 },
    ])
    const { stdout } = await machine.run('capinfos', ['-M', file])
    expect(stdout).toMatch(/Number of packets:\s+2\n/)
    expect(stdout).toMatch(/Number of interfaces in file:\s+2\n/)
  })

  it('tells what is wrong', async () => {
    expect(await capturing('private0', '--filter', 'arp an ip')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('filter, column 5: "an" has no place here'),
    })
    expect(await capturing('private0', '9')).toMatchObject({
      code: 1,
      stderr: /private0 has no port 9; ports: 1, 2/,
    })
    expect(await capturing('lan', '-c', '1')).toMatchObject({ code: 1, stderr: /no bridge "lan" here/ })
    expect(await capturing('private0', '-c', 'x')).toMatchObject({ code: 2, stderr: /--count is a number/ })
    expect(await capturing('private0', '-w', '/nonexistent/x')).toMatchObject({
      code: 1,
      stderr: /cannot write \/nonexistent\/x: no such file or directory\n$/,
    })
  })

  it('loses packets when its reader is slow, says how many, and the switch goes on', async () => {
    const file = join(lab.directory, 'slow.pcapng')
    // The reader begins when it is let: 4 MiB of ring and two sockets' buffers are full long before.
    const go = join(lab.directory, 'go')
    await machine.run('mkfifo', [go])
    const slow = hybridge('1', '--direction', 'in', '--filter', OURS)
    const running = await piped(machine, slow, `read line <'${go}'; cat >'${file}'`)
    const capture = await Capture.start(far, 'eth0', { filter: 'vlan and ether proto 0x88b5', snap: 64 })
    const frames = Array.from({ length: 6000 }, (_, seed) =>
      makeFrame({ length: 1514, seed, destination: '02:00:00:00:00:99' }),
    )
    await sendFrames(pc, 'eth0', frames, 100)
    expect((await capture.seen(frames.length)).length).toBe(frames.length)
    await capture.stop()
    const hybridgePid = machine
      .pids()
      .find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0capture\0'))
    process.kill(hybridgePid ?? 0, 'SIGINT')
    writeFileSync(go, 'go\n')
    const { stderr } = await running.exited
    const [, packets, lost] = /(\d+) packets, (\d+) lost/.exec(stderr) ?? []
    expect(Number(lost)).toBeGreaterThan(0)
    expect(Number(packets) + Number(lost)).toBe(frames.length)
    const written = readPcapng(readFileSync(file))
    expect(written.packets.length).toBe(Number(packets))
    expect(written.statistics).toEqual([{ received: frames.length, dropped: Number(lost) }])
  })
})

describe('ssh HUB capture', () => {
  it('is read by tcpdump, the filter’s words as they come', async () => {
    const command = ssh(
      'capture',
      'private0',
      '2',
      '--filter',
      'ether proto 0x88b5 and (vlan 20 or vlan 21)',
      '-c',
      '2',
    )
    const running = await piped(pc, `${command} </dev/null`, 'tcpdump -n -e -r -')
    await sendFrames(far, 'eth0', [tagged(60, 19), tagged(70, 20), tagged(80, 21)])
    const { code, stdout, stderr } = await running.exited
    expect(code).toBe(0)
    expect(stdout.match(/length \d+: vlan \d+/g)).toEqual(['length 70: vlan 20', 'length 80: vlan 21'])
    expect(stderr).toContain('2 packets, 0 lost\n')
  })

  it('shows drops alone to tshark', async () => {
    const command = ssh('hybridge', 'capture', 'private0', '--drops', '--filter', OURS, '-c', '1')
    const running = await piped(pc, command, 'tshark -r - -T fields -e frame.comment')
    await sendFrames(pc, 'eth0', [makeFrame({ length: 60 }), tagged(60, 20)])
    expect(await running.exited).toMatchObject({ code: 0, stdout: 'dropped: vlan\n' })
  })

  it('says why it is refused', async () => {
    expect(await sshCapture('lan')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no bridge "lan" here'),
    })
    expect(await sshCapture('private0', '--filter', 'port x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('filter, column 6: "x" is no number of a port'),
    })
  })

  it('lets a user have four, and ends one whose ssh is gone', async () => {
    const four = await Promise.all(
      Array.from({ length: 4 }, () => begun(pc, `exec ${ssh('capture', 'private0')} >/dev/null`)),
    )
    expect(await sshCapture('private0', '--duration', '1')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('too many captures'),
    })
    await four[0]?.stop('SIGKILL')
    let ended = await sshCapture('private0', '--duration', '1')
    while (ended.code !== 0) ended = await sshCapture('private0', '--duration', '1')
    expect(ended.stderr).toContain('0 packets, 0 lost')
    for (const running of four) await running.stop()
  })
})

describe('the extcap script', () => {
  it('answers Wireshark’s questions', async () => {
    expect(await askExtcap('--extcap-interfaces', '--extcap-version=4.0')).toMatch(
      /^extcap \{version=[^}]+\}.*\ninterface \{value=hybridge\}\{display=[^}]+\}\n$/,
    )
    expect(await askExtcap('--extcap-interface', 'hybridge', '--extcap-dlts')).toBe(
      'dlt {number=1}{name=EN10MB}{display=Ethernet}\n',
    )
    const config = (await askExtcap('--extcap-interface', 'hybridge', '--extcap-config')).trim().split('\n')
    const numbers = config.map(
      (line) => /^arg \{number=(\d+)\}\{call=--[a-z-]+\}\{display=[^}]+\}\{type=[a-z]+\}/.exec(line)?.[1],
    )
    expect(numbers.filter((n) => n !== undefined)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect(await askExtcap('--extcap-interface', 'hybridge', '--extcap-capture-filter', 'port 80')).toBe('')
  })

  it('is a capture interface of tshark', async () => {
    // Wireshark heeds WIRESHARK_EXTCAP_DIR only when it does not run as root.
    const home = join(lab.directory, 'nobody')
    const nobody = Number((await pc.run('id', ['-u', 'nobody'])).stdout)
    for (const directory of [home, join(home, 'extcap')]) {
      mkdirSync(directory)
      chownSync(directory, nobody, nobody)
    }
    const files = [
      [EXTCAP, 'extcap/hybridge', 0o755],
      [hub.identity, 'key', 0o600],
      [knownHosts, 'known_hosts', 0o644],
    ] as const
    for (const [from, name, mode] of files) {
      copyFileSync(from, join(home, name))
      chownSync(join(home, name), nobody, nobody)
      chmodSync(join(home, name), mode)
    }
    const preferences = {
      hub: HUB_ADDRESS,
      user: hub.user,
      identity: join(home, 'key'),
      knownhosts: join(home, 'known_hosts'),
      bridgeport: '2',
      direction: 'in',
    }
    const tshark = pc.spawn(
      'setpriv',
      [
        ...'--reuid nobody --regid nogroup --clear-groups'.split(' '),
        ...'tshark -l -i hybridge -c 1 -T fields -e frame.len -f'.split(' '),
        'vlan 20',
        ...Object.entries(preferences).flatMap(([name, value]) => ['-o', `extcap.hybridge.${name}:${value}`]),
      ],
      { env: { HOME: home, WIRESHARK_EXTCAP_DIR: join(home, 'extcap') } },
    )
    await hub.process.line(/ann captures private0 port 2"/, { from: hub.process.lines.length })
    await sendFrames(far, 'eth0', [tagged(60, 19), tagged(73, 20)])
    expect(await tshark.exited).toMatchObject({ code: 0, stdout: '73\n' })
  })
})

it('says that the hub ended it, and leaves a file that can be read', async () => {
  const file = join(lab.directory, 'cut.pcapng')
  const local = await begun(machine, `${hybridge()} >'${file}'`)
  const remote = await begun(pc, `${ssh('capture', 'private0')} >/dev/null`)
  await hub.stop()
  expect(await local.exited).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('the other side ended the capture; what came before is whole'),
  })
  expect((await remote.exited).code).not.toBe(0)
  expect(readPcapng(readFileSync(file)).interfaces.map(({ name }) => name)).toEqual([
    'private0/1',
    'private0/2',
  ])
})
