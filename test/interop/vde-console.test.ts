/**
 * The management console of a bridge beside that of vde_switch: both are told the same and carry the same frames. VDE's
 * own clients of consoles against ours.
 *
 *   vde_plug a ---[1  vde_switch  2]--- vde_plug b
 *   vde_plug a ---[1    bridge    2]--- vde_plug b
 */
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { makeFrame } from '#test/support/frames.ts'
import { Hub } from '#test/support/hub.ts'
import { pidOf, statusOf } from '#test/support/hub-processes.ts'
import { Lab, type Namespace } from '#test/support/netns.ts'
import { type Running, until } from '#test/support/process.ts'
import { VdeConsole } from '#test/support/vde-console.ts'
import { VdeStream } from '#test/support/vde-stream.ts'

/** One of the two switches: its console, and its clients at ports 1 and 2. */
interface Side {
  readonly directory: string
  readonly console: VdeConsole
  readonly a: VdeStream
  readonly b: VdeStream
}

const HUB_ADDRESS = '10.96.0.1'
const A = '02:00:00:00:00:0a'
const B = '02:00:00:00:00:0b'

let lab: Lab
let machine: Namespace
let hub: Hub
let root: string
let ours: Side
let theirs: Side
const streams: VdeStream[] = []

const path = (name: string): string => join(root, name)

beforeAll(async () => {
  lab = new Lab()
  machine = lab.namespace('hub')
  machine.address('lo', `${HUB_ADDRESS}/32`)
  root = mkdtempSync(join(lab.directory, 'c-'))
  machine.exec('chmod', '1777', root)
  machine.spawn('vde_switch', ['-s', path('theirs'), '-m', '0666', '-M', path('theirs.mgmt')])
  await until('vde_switch serves', () => existsSync(path('theirs.mgmt')))
  hub = await Hub.start(machine, {
    address: HUB_ADDRESS,
    bridges: [
      `private0,vde=${path('ours')},vdemode=666,mgmt=${path('ours.mgmt')}`,
      `other,mgmt=${path('other.mgmt')}`,
    ],
  })
  theirs = await side('theirs')
  ours = await side('ours')
  for (const line of ['port/create 5', 'port/sethub 0', 'vlan/create 10', 'vlan/create 20']) await both(line)
})
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story(), ...streams.map(({ stderr }) => stderr))
})
afterAll(async () => {
  for (const { console } of [ours, theirs]) console.close()
  await Promise.all(streams.map((stream) => stream.stop()))
  lab.close()
})

async function side(name: string): Promise<Side> {
  const console = await VdeConsole.open(path(`${name}.mgmt`))
  return { directory: path(name), console, a: await plug(console, name, 1), b: await plug(console, name, 2) }
}

async function plug(console: VdeConsole, name: string, port: number): Promise<VdeStream> {
  const stream = new VdeStream(machine, ['vde_plug', path(name)])
  streams.push(stream)
  for (const deadline = performance.now() + 15_000; ;) {
    const answer = await console.ask(`port/print ${port}`)
    if (answer.includes('-- endpoint')) return stream
    if (performance.now() > deadline) throw new Error(`no client at port ${port} of ${name}: ${answer}`)
  }
}

/** Numbers and names that are a run's own, and our own column. */
const masked = (text: string): string =>
  text
    .replaceAll(/ QnQ,Strict=\d{4},\d/g, '')
    .replaceAll(/pid=\d+/g, 'pid=N')
    .replaceAll(/endpoint ID \d{4}/g, 'endpoint ID N')
    .replaceAll(/FD +\d+/g, 'FD N')
    .replaceAll(/Hash: \d+/g, 'Hash: N')
    .replaceAll(/age \d+/g, 'age N')
    .replaceAll(/Numports=\d+/g, 'Numports=N')
    .replaceAll(root, '')
    .replaceAll(/\/(?:ours|theirs)/g, '/DIR')

/** What both consoles answer to a line. */
async function both(line: string): Promise<string> {
  const [their, our] = await Promise.all([theirs.console.ask(line), ours.console.ask(line)])
  expect([line, masked(our)]).toEqual([line, masked(their)])
  return our
}

/** Frames in and out of ports 1 and 2. */
async function counts({ console }: Side): Promise<{ in: number; out: number[] }> {
  const text = await console.ask('port/print')
  const read = (way: string): number[] =>
    [...text.matchAll(new RegExp(` ${way}: +pkts +(\\d+)`, 'g'))].map(([, count]) => Number(count))
  return { in: read('IN').reduce((sum, count) => sum + count, 0), out: read('OUT') }
}

/** `a>b 10`: from a to b's address, with tag 10; `a>* -`: to all, untagged. */
function frameOf(text: string): Buffer {
  const [, from, to, tag = '-'] = /^([ab])>([ab*]) (\S+)$/.exec(text) ?? []
  const known = { a: A, b: B, '*': 'ff:ff:ff:ff:ff:ff' }
  const destination = to === 'a' || to === 'b' ? known[to] : known['*']
  const tags = tag === '-' ? [] : [[0x8100, Number(tag)] as const]
  return makeFrame({ source: from === 'a' ? A : B, destination, tags, length: 80 })
}

/** How many octets of each frame, and which tags, come out of the other port; sent one after the other. */
async function carried(at: Side, frames: readonly string[]): Promise<string[]> {
  await at.console.ask('port/resetcounter')
  for (const stream of [at.a, at.b]) stream.frames.length = 0
  for (const [i, text] of frames.entries()) {
    at[text.startsWith('a') ? 'a' : 'b'].send(frameOf(text))
    for (const deadline = performance.now() + 10_000; (await counts(at)).in <= i;)
      if (performance.now() > deadline) throw new Error(`${text} did not arrive at ${at.directory}`)
  }
  const { out } = await counts(at)
  await until('what was sent', () => at.a.frames.length === out[0] && at.b.frames.length === out[1])
  return [...at.a.frames, ...at.b.frames].map((frame) => frame.toString('hex', 0, 20))
}

const FRAMES = [
  'a>* -',
  'b>a -',
  'a>b -',
  'a>b 10',
  'b>* 10',
  'a>b 10',
  'b>a 20',
  'a>* 20',
  'b>a -',
  'a>b 30',
]

describe('the socket', () => {
  it('is the hub’s user’s alone, who is not root', () => {
    const { mode, uid } = statSync(path('ours.mgmt'))
    expect(mode & 0o777).toBe(0o600)
    expect(uid).toBe(Number(statusOf(pidOf(hub, 'fabric'), 'Uid').split('\t')[0]))
    expect(uid).not.toBe(0)
  })
})

describe('commands that change VLANs', () => {
  it.each([
    ['as they are made', []],
    ['one VLAN for both', ['port/setvlan 1 10', 'port/setvlan 2 10']],
    ['a trunk', ['vlan/addport 20 1', 'vlan/addport 20 2', 'vlan/addport 10 2', 'port/setvlan 2 0']],
    ['no untagged frames', ['port/setvlan 1 4095', 'vlan/addport 10 1', 'port/setvlan 2 4095']],
    ['out of a VLAN', ['vlan/delport 20 1', 'vlan/delport 10 1', 'port/setvlan 1 20']],
    ['back', ['port/setvlan 1 0', 'port/setvlan 2 0', 'vlan/delport 20 2']],
  ] as const)('do to frames and tables what they do in vde_switch: %s', async (_what, lines) => {
    for (const line of lines) expect(await both(line)).toBe('1000 Success\n')
    const [our, their] = [await carried(ours, FRAMES), await carried(theirs, FRAMES)]
    expect(our).toEqual(their)
    for (const line of [
      'vlan/print',
      'vlan/allprint',
      'vlan/print 10',
      'port/print',
      'port/allprint',
      'port/allprint 5',
    ])
      await both(line)
    expect(await addresses(ours)).toEqual(await addresses(theirs))
  })
})

/** What `hash/print` says, in an order that both can be brought into. */
async function addresses({ console }: Side): Promise<string[]> {
  return masked(await console.ask('hash/print'))
    .split('\n')
    .sort()
}

/** What vde_switch and the bridge answer. */
const ask = async (line: string): Promise<string[]> => [
  await theirs.console.ask(line),
  await ours.console.ask(line),
]

describe('answers', () => {
  it.each([
    ['', '# note', '  ', 'nosuch', 'port', 'port/', 'Port/print'],
    ['port/showinfo', 'ds/showinfo', 'port/print 9', 'port/allprint 9', 'port/allprint 5'],
    ['port/create 5', 'port/setvlan 5', 'port/setvlan', 'port/setvlan 5 99', 'port/setvlan 9 10'],
    ['port/remove 1', 'port/remove 9', 'port/epclose 1 999', 'port/epclose 1', 'port/allocatable 5'],
    ['port/setuser 5 root', 'port/setgroup 5 daemon', 'port/allocatable 5 1', 'port/allprint 5'],
    ['port/setuser 5 4711', 'port/setgroup 5 NONE', 'port/allocatable 5 0', 'port/allprint 5'],
    ['port/setuser 5 ANY', 'port/setuser 5 no-such-user', 'port/setuser', 'port/setgroup 5 no-such-group'],
    ['vlan/create 10', 'vlan/create 0', 'vlan/create 4095', 'vlan/create x', 'vlan/create -1', 'vlan/create'],
    ['vlan/addport 99 1', 'vlan/addport 10 9', 'vlan/delport 99 1', 'vlan/delport 0 1', 'vlan/addport'],
    ['vlan/remove 0', 'vlan/remove 99', 'vlan/remove 20', 'vlan/create 20', 'vlan/print 99', 'vlan/print 0'],
    ['hash/find', 'hash/find x', 'hash/find 00:11:22:33:44:55', 'hash/setsize 0', 'hash/setsize x'],
    [
      'debug/list x',
      'debug/add x',
      'debug/del x',
      'debug/del hash/+',
      'debug/add hash/+',
      'debug/add hash/+',
    ],
    ['debug/del hash/+', 'plugin/list', 'port/createauto', 'port/remove 3'],
  ])('are those of vde_switch: %s, ...', async (...lines) => {
    for (const line of lines) await both(line)
    expect(await both('port/print 1')).toMatch(/^0000 DATA END WITH '\.'\nPort 0001 .*\n\.\n1000 Success\n$/s)
  })

  it('are right where those of vde_switch are not', async () => {
    expect(await ask('vlan/create 4094')).toEqual(['1022 Invalid argument\n', '1000 Success\n'])
    const [theirAll, ourAll] = await ask('vlan/allprint 0')
    expect([theirAll?.split('\n').at(-2), ourAll?.split('\n').at(-2)]).toEqual([
      '1022 Invalid argument',
      '1000 Success',
    ])
    const [theirPort, ourPort] = (await ask(`hash/find ${A}`)).map((text) => /port: (\d+)/.exec(text)?.[1])
    expect([theirPort, ourPort]).toEqual(['002', '001'])
  })

  it('tell of events as vde_switch does', async () => {
    await both('debug/add port')
    for (const { console, directory } of [theirs, ours]) {
      await plug(console, directory.slice(root.length + 1), 3)
      const deadline = performance.now() + 10_000
      while (console.events.length < 3 && performance.now() < deadline) await console.ask('')
    }
    await both('debug/del port')
    expect(ours.console.events.map(masked)).toEqual(theirs.console.events.map(masked))
    expect(ours.console.events[0]).toBe('3021 port/+ 03')
  })
})

const DEBIAN_SCRIPT = '/etc/vde2/vdecmd'

/** Debian's script ends with a word that its unixcmd does not know, so that it exits with 255 whatever the answer. */
function mendedScript(): string {
  const script = readFileSync(DEBIAN_SCRIPT, 'utf8')
  writeFileSync(
    path('vdecmd'),
    script.replace(/^21 .*\n22 .*$/m, "21 RVATOI\n22 SEND 'logout\\n'\n23 EXITRV"),
  )
  return path('vdecmd')
}

/** Exit code and output of a command to both consoles. */
const unixcmd = (script: string, command: string): Promise<[number | null, string][]> =>
  Promise.all(
    ['ours', 'theirs'].map(async (name) => {
      const words = ['-s', path(`${name}.mgmt`), '-f', script, ...command.split(' ')]
      const { code, stdout } = await machine.run('unixcmd', words, { check: false })
      return [code, masked(stdout)]
    }),
  )

describe('unixcmd', () => {
  it.each([
    ['port/showinfo', 0],
    ['port/print 9', 6],
    ['vlan/create 10', 17],
    ['hash/find 00:11:22:33:44:55', 19],
    ['vlan/create x', 22],
    ['no/such', 38],
    ['vlan/remove 0', 98],
  ])('has its data and its exit code: %s', async (command, code) => {
    const [our, their] = await unixcmd(mendedScript(), command)
    expect(our).toEqual(their)
    expect(our?.[0]).toBe(code)
    const [same, other] = await unixcmd(DEBIAN_SCRIPT, command)
    expect(same).toEqual(other)
    expect(same?.[1]).toBe(our?.[1])
  })
})

/** A program on a terminal of its own. */
function onTerminal(...command: string[]): Running {
  return machine.spawn('script', ['-qec', command.join(' '), '/dev/null'])
}

const says = (running: Running, what: string | RegExp): Promise<true> =>
  until(
    `${what} of ${running.title}`,
    () => (typeof what === 'string' ? running.stdout.includes(what) : what.test(running.stdout)) || undefined,
  )

describe('terminals', () => {
  it('vdeterm completes commands, shows answers and events', async () => {
    const terminal = onTerminal('vdeterm', path('other.mgmt'))
    await says(terminal, 'other.mgmt]: ')
    terminal.child.stdin.write('port/showi\t\n')
    await says(terminal, 'Numports=1024')
    terminal.child.stdin.write('debug/ad\t port\n')
    await says(terminal, /counters=true[^]*Success[^]*Success/)
    terminal.child.stdin.write('port/create 6\n')
    await says(terminal, '** DBG MSG: port/+ 06')
    terminal.child.stdin.write('nosuch\n')
    await says(terminal, 'Function not implemented')
    terminal.child.stdin.write('logout\n')
    expect((await terminal.exited).code).toBe(0)
  })

  it('unixterm passes lines to and fro', async () => {
    const terminal = onTerminal('unixterm', path('other.mgmt'))
    await says(terminal, 'vde$ ')
    terminal.child.stdin.write('vlan/create 30\n')
    await says(terminal, '1000 Success')
    terminal.child.stdin.write('vlan/print\n')
    await says(terminal, 'VLAN 0030')
    terminal.child.stdin.write('logout\n')
    await terminal.exited
    expect(terminal.stdout).toContain('VLAN 0000\r\nVLAN 0030\r\n')
  })
})
