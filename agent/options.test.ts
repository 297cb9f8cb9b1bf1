import { readFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { optionsOfHelp } from '#test/support/help.ts'
import { join } from 'node:path'

import { describe, expect, it, vi } from 'vitest'

import { EXIT_CODES, EXIT_USAGE } from '#agent/exit-codes.ts'
import {
  describeHconnect,
  parseArguments,
  repairDashes,
  settleBridges,
  settleDriver,
  settleNic,
  settleTarget,
  type Arguments,
} from '#agent/options.ts'
import { NO_SSH_CONFIG } from '#agent/login/ssh-config.ts'

const parse = async (line: string): Promise<Arguments> => {
  const args = await parseArguments(line === '' ? [] : line.split(' '), '1.2.3')
  if (args === undefined) throw new Error('nothing to do')
  return args
}
const ssh = () =>
  Promise.resolve({
    ...NO_SSH_CONFIG,
    hostname: 'real.example',
    port: 2022,
    user: 'bob',
    identityFiles: ['/k'],
  })
const login = () => Promise.resolve({ ...NO_SSH_CONFIG, user: userInfo().username })
const noSsh = () => Promise.resolve(NO_SSH_CONFIG)

describe('parseArguments', () => {
  it("takes the guide's command as its PDF has it, with en-dashes", async () => {
    expect(await parse('–u hconnect -b privateX –s junosphere.net')).toMatchObject({
      command: 'connect',
      user: 'hconnect',
      bridge: 'privateX',
      hub: 'junosphere.net',
      intervalSeconds: 10,
      count: Infinity,
      allowUplink: false,
      superFrames: true,
      latencyControl: true,
      measure: true,
      restore: false,
    })
  })

  it('takes the older spelling, every long option, and numbers as names', async () => {
    expect(
      await parse(
        '-c ann -i 007 -s [::1]:2222 -n eth2 --driver pcap --identity k --known-hosts h --accept-new --interval 0.5 --count 3 --json --allow-uplink --no-super-frames --no-latency-control --connections 8 --mtu 1600 --capture f',
      ),
    ).toEqual({
      command: 'connect',
      user: 'ann',
      bridge: '007',
      map: [],
      hub: '[::1]:2222',
      nic: 'eth2',
      driver: 'pcap',
      mtu: 1600,
      identity: 'k',
      knownHosts: 'h',
      acceptNew: true,
      intervalSeconds: 0.5,
      count: 3,
      json: true,
      tui: false,
      captureFile: 'f',
      allowUplink: true,
      superFrames: false,
      latencyControl: false,
      connections: 8,
      captureRing: undefined,
      config: undefined,
      check: false,
      link: undefined,
      output: undefined,
      once: false,
      measure: true,
      restore: false,
    })
    expect((await parse('list -s hub -u ann')).command).toBe('list')
    expect(await parse('restore -n eth2')).toMatchObject({ command: 'restore', nic: 'eth2' })
    expect(await parse('doctor --no-measure')).toMatchObject({ command: 'doctor', measure: false })
    expect(await parse('--connections auto')).toMatchObject({ connections: 'auto' })
    expect(await parse('doctor --restore')).toMatchObject({ command: 'doctor', restore: true })
  })

  it.each([
    ['-x', 'Unknown argument: x'],
    ['--password secret', 'Unknown arguments?: password'],
    ['connect', 'Unknown argument: connect'],
    ['-u', 'Not enough arguments following: u'],
    ['-b a -i b', '--bridge is given 2 times'],
    ['--interval soon', '--interval soon: expected seconds'],
    ['--interval 0', '--interval 0'],
    ['--mtu 67', '--mtu 67: expected octets, 68 to 9216'],
    ['--mtu 9217', '--mtu 9217: expected octets'],
    ['--mtu big', '--mtu big: expected octets'],
    ['--count 1.5', '--count 1.5: expected a whole number'],
    ['--connections 0', '--connections 0: expected 1 to 8, or auto'],
    ['--connections 9', '--connections 9: expected 1 to 8'],
    ['--connections many', '--connections many: expected 1 to 8'],
    ['--tui --json', '--tui and --json do not go together'],
    ['--tui --count 3', '--tui and --count do not go together'],
    ['status --tui', 'status does not take --tui'],
    ['run -n eth1 --no-super-frames', 'run does not take --nic, --no-super-frames: the configuration file'],
    ['--check', '--check belongs to a command'],
  ])('refuses %s', async (line, message) => {
    await expect(parse(line)).rejects.toMatchObject({
      exitCode: EXIT_USAGE,
      message: expect.stringMatching(message),
    })
  })

  it('prints its version', async () => {
    expect(await printed('-V')).toBe('1.2.3')
  })

  it('prints help with the exit codes, 80 columns wide', async () => {
    const help = await printed('--help')
    for (const [code, meaning] of EXIT_CODES) expect(help).toContain(`${code}  ${meaning}`)
    expect(help.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  it('shows with a command what that takes', async () => {
    const help = await printed('status --help')
    expect(optionsOfHelp(help)).toEqual(['--help', '--json', '--version', '-V', '-h'])
  })

  it('has the exit codes that the documentation has', () => {
    const page = readFileSync('docs/hconnect.md', 'utf8').replaceAll('`', '')
    const rows = [...page.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => [
      Number(code),
      meaning,
    ])
    expect(rows).toEqual(EXIT_CODES)
  })

  it('has every option and command of its help in manual page and completions, and no other', async () => {
    const help = await printed('--help')
    const { options, commands } = describeHconnect()
    expect(optionsOfHelp(help)).toEqual(options.flatMap(({ names }) => names).sort())
    const named = [...help.matchAll(/^ {2}hconnect ([a-z]+).* {2}/gm)].map(([, name]) => name)
    expect(named).toEqual(commands.map(({ path }) => path.at(-1)))
  })

  it('takes the name of a shell', async () => {
    expect(await parse('completion zsh')).toMatchObject({ command: 'completion', shell: 'zsh' })
    await expect(parse('completion tcsh')).rejects.toMatchObject({ exitCode: EXIT_USAGE })
  })
})

async function printed(line: string): Promise<string> {
  const print = vi.spyOn(console, 'log').mockImplementation(() => {})
  expect(await parseArguments(line.split(' '), '1.2.3')).toBeUndefined()
  const [text] = print.mock.calls.map(([first]) => String(first))
  print.mockRestore()
  return text ?? ''
}

describe('repairDashes', () => {
  it.each([
    ['–u', '-u'],
    ['—u', '-u'],
    ['−b', '-b'],
    ['‐b', '-b'],
    ['—identity', '--identity'],
    ['–count=3', '--count=3'],
    ['–allow-uplink', '--allow-uplink'],
    ['−−json', '--json'],
    ['-–json', '--json'],
    ['-u', '-u'],
    ['–zebra', '–zebra'],
    ['private–0', 'private–0'],
    ['–', '–'],
  ])('%s becomes %s', (before, after) => {
    expect(repairDashes([before])).toEqual([after])
  })

  it('knows every option of the help', async () => {
    const options = (await printed('--help')).match(/--[a-z][a-z-]+/g) ?? []
    expect(options).toContain('--driver')
    for (const option of options) expect(repairDashes([option.replace('--', '—')])).toEqual([option])
  })

  it('leaves alone what stands behind --', () => {
    expect(repairDashes(['–u', '--', '–u'])).toEqual(['-u', '--', '–u'])
  })
})

describe('settling', () => {
  it('takes the NIC from the option, the environment, the configuration, then eth1', async () => {
    const none = await parse('')
    expect(settleNic(await parse('-n a'), { HCONNECT_NIC: 'b' }, { nic: 'c' })).toBe('a')
    expect(settleNic(none, { HCONNECT_NIC: 'b' }, { nic: 'c' })).toBe('b')
    expect(settleNic(none, { HCONNECT_NIC: '' }, { nic: 'c' })).toBe('c')
    expect(settleNic(none, {}, {})).toBe('eth1')
    expect(() => settleNic(none, {}, { nic: 'much-too-long-name' })).toThrow('bad interface name')
  })

  it('takes the bridge from the option, then the configuration, and lets no command in', async () => {
    expect(settleBridges(await parse('-b lab/private0'), { bridge: 'x' })).toEqual([
      { bridge: 'lab/private0', vlan: undefined },
    ])
    expect(settleBridges(await parse(''), { bridge: 'x' })).toEqual([{ bridge: 'x', vlan: undefined }])
    expect(() => settleBridges({ ...NO_ARGUMENTS }, {})).toThrow('no bridge given')
    for (const bridge of ['a b', 'a;b', '-a', 'a\n', '$(a)']) {
      expect(() => settleBridges({ ...NO_ARGUMENTS, bridge }, {})).toThrow('bad bridge name')
      expect(() => settleBridges({ ...NO_ARGUMENTS, map: [`10=${bridge}`] }, {})).toThrow('bad bridge name')
    }
  })

  it('takes a map in place of a bridge, and not both', async () => {
    const map = await parse('--map 20=b --map untagged=a')
    const choices = [
      { bridge: 'b', vlan: 20 },
      { bridge: 'a', vlan: 0 },
    ]
    expect(settleBridges(map, { bridge: 'x' })).toEqual(choices)
    expect(settleBridges(await parse(''), { map: ['20=b', 'untagged=a'] })).toEqual(choices)
    expect(settleBridges(await parse('-b a'), { map: ['20=b'] })).toEqual([{ bridge: 'a', vlan: undefined }])
    expect(() => settleBridges({ ...map, bridge: 'a' }, {})).toThrow('a bridge and a map are given')
    expect(() => settleBridges({ ...NO_ARGUMENTS }, { bridge: 'a', map: ['1=b'] })).toThrow(
      'and a map are given',
    )
    for (const text of ['0=a', '4095=a'])
      expect(() => settleBridges({ ...NO_ARGUMENTS, map: [text] }, {})).toThrow(
        expect.objectContaining({ exitCode: EXIT_USAGE }),
      )
  })

  it('takes the port from HOST:PORT, then ssh, then 2222', async () => {
    expect(await settleTarget(await parse('-s hub:22 -u ann'), {}, {}, ssh)).toMatchObject({
      host: 'real.example',
      port: 22,
      user: 'ann',
    })
    expect(await settleTarget(await parse('-s hub'), {}, {}, ssh)).toMatchObject({
      port: 2022,
      user: 'bob',
      identityFiles: ['/k', join(homedir(), '.ssh/id_ed25519'), expect.any(String), expect.any(String)],
    })
    expect(
      await settleTarget(await parse('-u ann'), { HCONNECT_HUB: '[::1]' }, { hub: 'x' }, noSsh),
    ).toMatchObject({ host: '::1', port: 2222 })
    expect(
      await settleTarget(await parse(''), {}, { hub: 'x', user: 'carl', identity: '~/k' }, noSsh),
    ).toMatchObject({ host: 'x', user: 'carl', identity: join(homedir(), 'k') })
  })

  it('says what is missing', async () => {
    await expect(settleTarget(await parse('-u ann'), {}, {}, noSsh)).rejects.toThrow('no hub given')
    await expect(settleTarget(await parse('-s hub'), {}, {}, noSsh)).rejects.toThrow('no user given')
    await expect(settleTarget(await parse('-s hub'), {}, {}, login)).rejects.toThrow('no user given')
    await expect(settleTarget(await parse('-s hub:0 -u a'), {}, {}, noSsh)).rejects.toMatchObject({
      exitCode: EXIT_USAGE,
    })
  })
})

describe('settleDriver', () => {
  it.each([
    ['', 'linux', 'packet'],
    ['', 'darwin', 'pcap'],
    ['--driver pcap', 'linux', 'pcap'],
    ['--driver packet --allow-uplink', 'linux', 'packet'],
  ] as const)('%s on %s: %s', async (line, system, driver) => {
    expect(settleDriver(await parse(line), {}, system)).toBe(driver)
  })

  it.each([
    ['--driver dpdk', 'linux', '--driver dpdk: expected packet or pcap'],
    ['--driver packet', 'win32', '--driver packet needs Linux'],
    ['--driver pcap --allow-uplink', 'linux', '--allow-uplink needs --driver packet'],
  ] as const)('%s on %s is refused', async (line, system, message) => {
    const args = await parse(line)
    expect(() => settleDriver(args, {}, system)).toThrow(message)
  })
})

const NO_ARGUMENTS: Arguments = {
  command: 'connect',
  user: undefined,
  bridge: undefined,
  map: [],
  hub: undefined,
  nic: undefined,
  mtu: undefined,
  driver: undefined,
  identity: undefined,
  knownHosts: undefined,
  jump: undefined,
  proxy: undefined,
  ca: undefined,
  fingerprint: undefined,
  acceptNew: false,
  intervalSeconds: 10,
  count: Infinity,
  json: false,
  tui: false,
  captureFile: undefined,
  allowUplink: false,
  superFrames: true,
  latencyControl: true,
  connections: undefined,
  captureRing: undefined,
  config: undefined,
  check: false,
  link: undefined,
  output: undefined,
  once: false,
  measure: true,
  restore: false,
}
