/**
 * The command line: which options there are, and what holds when one is left out. Reading argv is pure; what else
 * settles a value (environment, configuration file, ssh's configuration) is given.
 */
import { homedir, userInfo } from 'node:os'

import yargs, { type Argv } from 'yargs'

import { type BridgeChoice, checkBridge, parseMap } from '#agent/lan/bridge-choice.ts'
import { type CommandName, commandOf, unusedOptions } from '#agent/command-options.ts'
import { type ConfigFile, parseRing } from '#agent/config-file.ts'
import { secretPath } from '#agent/login/credential-file.ts'
import { EXIT_CODES, EXIT_USAGE, ExitError } from '#agent/exit-codes.ts'
import { DEFAULT_HUB_PORT, parseHubAddress, parseHubUrl } from '#agent/hub-address.ts'
import { expandHome, type SshConfig } from '#agent/login/ssh-config.ts'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { SHELLS } from '#net/cli/completion.ts'
import { type CommandDescription, describeCommandLine } from '#net/cli/description.ts'
import { FILE, INTERFACE, oneOf } from '#net/cli/values.ts'
import { MOST_STREAMS } from '#net/port/tunnel/bundle.ts'
import { MAX_MTU, MIN_MTU, isMtu } from '#net/port/nic/mtu.ts'

/** How the interface is opened: a packet socket of Linux, or libpcap. */
const DRIVERS = ['packet', 'pcap'] as const
export type Driver = (typeof DRIVERS)[number]

/** What argv says; nothing is filled in yet. */
export interface Arguments {
  readonly command: CommandName
  /** Of `completion`. */
  readonly shell?: string | undefined
  readonly user: string | undefined
  readonly bridge: string | undefined
  /** `VLAN=BRIDGE`, as they were given. */
  readonly map: readonly string[]
  readonly hub: string | undefined
  readonly nic: string | undefined
  readonly driver: string | undefined
  /** Octets. */
  readonly mtu: number | undefined
  readonly identity: string | undefined
  readonly knownHosts: string | undefined
  readonly jump: string | undefined
  readonly proxy: string | undefined
  readonly ca: string | undefined
  readonly fingerprint: string | undefined
  readonly acceptNew: boolean
  readonly intervalSeconds: number
  /** Reports after which the program ends; Infinity when not given. */
  readonly count: number
  readonly json: boolean
  /** The full-screen view in place of reports. */
  readonly tui: boolean
  /** New file for what passes the interface. */
  readonly captureFile: string | undefined
  /** The interface may be the one that carries the tunnel. */
  readonly allowUplink: boolean
  readonly superFrames: boolean
  readonly latencyControl: boolean
  /** To the hub, for the link. */
  readonly connections: number | 'auto' | undefined
  /** Octets of the LAN's last frames to keep. */
  readonly captureRing: number | undefined
  /** Configuration file, in place of the usual ones. */
  readonly config: string | undefined
  /** `run`: only look at the configuration. */
  readonly check: boolean
  /** `capture`: name of a link. */
  readonly link: string | undefined
  /** `capture`: file, `-` for standard output. */
  readonly output: string | undefined
  /** `capture`: only what is there now. */
  readonly once: boolean
  /** Of `doctor`: how fast the way to the hub is. */
  readonly measure: boolean
  /** Of `doctor`: what `restore` does, in place of looking. */
  readonly restore: boolean
}

/** The hub, and who we are there. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly user: string
  /** --identity; it must be readable. */
  readonly identity: string | undefined
  /** Tried when they exist. */
  readonly identityFiles: readonly string[]
  /** Of the URL, where the hub is reached through HTTPS. */
  readonly path: string | undefined
  /** What ssh's configuration says about the host. */
  readonly ssh: SshConfig
}

const TEXT_OPTIONS = [
  'user',
  'bridge',
  'hub',
  'nic',
  'mtu',
  'driver',
  'identity',
  'known-hosts',
  'config',
  'capture-ring',
  'output',
  'jump',
  'proxy',
  'ca',
  'fingerprint',
  'connections',
] as const
const LONG_NAMES = [
  ...TEXT_OPTIONS,
  'map',
  'accept-new',
  'allow-uplink',
  'interval',
  'count',
  'json',
  'tui',
  'capture',
  'no-super-frames',
  'super-frames',
  'no-latency-control',
  'latency-control',
  'check',
  'once',
  'no-measure',
  'measure',
  'restore',
  'help',
  'version',
]
const SHORT_NAMES = 'ubscinohV'
const DEFAULT_IDENTITIES = ['~/.ssh/id_ed25519', '~/.ssh/id_ecdsa', '~/.ssh/id_rsa']
const DEFAULT_NIC = 'eth1'
const MAX_INTERVAL_SECONDS = 86_400
/** Options by the names that parsing gives them. */
const OPTION_NAMES = LONG_NAMES.filter((name) => !/^(no-.*|help|version)$/.test(name))

/**
 * Puts hyphens where a text processor made dashes of them (U+2010 to U+2015, minus sign, their wide and small forms),
 * in front of option names only. Two hyphens often became one dash.
 */
export function repairDashes(argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  return argv.map((argument, index) => {
    const match = /^([-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]{1,2})([^\s=]+)(.*)$/su.exec(argument)
    const [, dashes = '', name = '', rest = ''] = match ?? []
    if (match === null || /^-+$/.test(dashes) || (end >= 0 && index > end)) return argument
    if (LONG_NAMES.includes(name)) return `--${name}${rest}`
    return SHORT_NAMES.includes(name.charAt(0)) && dashes.length === 1 ? `-${name}${rest}` : argument
  })
}

/**
 * Reads argv. `--help` and `--version` print and give undefined.
 * @throws ExitError with EXIT_USAGE
 */
export async function parseArguments(
  argv: readonly string[],
  version: string,
): Promise<Arguments | undefined> {
  const parsed = await commandLine(yargs(repairDashes(argv)), version).parseAsync()
  if (parsed.help === true || parsed.version === true) return undefined
  const values = parsed as Record<string, unknown>
  const single = (name: string): string | undefined => {
    const value = values[name]
    if (value === undefined) return undefined
    if (Array.isArray(value)) throw usage(`--${name} is given ${value.length} times`)
    if (typeof value !== 'string' || value === '') throw usage(`--${name} needs a value`)
    return value
  }
  const several = (name: string): string[] => {
    const value = values[name] ?? []
    return (Array.isArray(value) ? value : [value]).map(String)
  }
  const number = (name: string, fallback: number, ok: (n: number) => boolean, allowed: string): number => {
    const text = single(name)
    const value = text === undefined ? fallback : Number(text)
    if (!ok(value)) throw usage(`--${name} ${text}: ${allowed}`)
    return value
  }
  for (const other of ['json', 'count'])
    if (values['tui'] === true && values[other] !== undefined && values[other] !== false)
      throw usage(`--tui and --${other} do not go together: the view prints no reports`)
  const command = commandOf(parsed._[0])
  const given = OPTION_NAMES.filter((name) => values[name] !== undefined)
  const unused = unusedOptions(command, given)
  if (unused.length > 0) throw usage(misplaced(command, unused))
  return {
    command,
    shell: single('shell'),
    user: single('user'),
    bridge: single('bridge'),
    map: several('map'),
    hub: single('hub'),
    nic: single('nic'),
    driver: single('driver'),
    mtu:
      single('mtu') === undefined
        ? undefined
        : number('mtu', MAX_MTU, isMtu, `expected octets, ${MIN_MTU} to ${MAX_MTU}`),
    identity: single('identity'),
    knownHosts: single('known-hosts'),
    jump: single('jump'),
    proxy: single('proxy'),
    ca: single('ca'),
    fingerprint: single('fingerprint'),
    acceptNew: values['accept-new'] === true,
    intervalSeconds: number(
      'interval',
      10,
      (n) => n > 0 && n <= MAX_INTERVAL_SECONDS,
      'expected seconds, up to 86400',
    ),
    count: number(
      'count',
      Infinity,
      (n) => n === Infinity || (Number.isInteger(n) && n > 0),
      'expected a whole number above 0',
    ),
    json: values['json'] === true,
    tui: values['tui'] === true,
    captureFile: single('capture'),
    allowUplink: values['allow-uplink'] === true,
    superFrames: values['super-frames'] !== false,
    latencyControl: values['latency-control'] !== false,
    connections: connectionsOf(single('connections')),
    captureRing: ringOf(single('capture-ring')),
    config: single('config'),
    check: values['check'] === true,
    link: single('link'),
    output: single('output'),
    once: values['once'] === true,
    measure: values['measure'] !== false,
    restore: values['restore'] === true,
  }
}

function misplaced(command: CommandName, options: readonly string[]): string {
  const negated = ['super-frames', 'latency-control', 'measure']
  const names = options.map((name) => `--${negated.includes(name) ? 'no-' : ''}${name}`).join(', ')
  if (command === 'connect') return `${names} belongs to a command: run, capture or doctor`
  return `${command} does not take ${names}${command === 'run' ? ': the configuration file has it for each link' : ''}`
}

function connectionsOf(text: string | undefined): number | 'auto' | undefined {
  if (text === undefined || text === 'auto') return text
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= MOST_STREAMS) return count
  throw usage(`--connections ${text}: expected 1 to ${MOST_STREAMS}, or auto`)
}

function ringOf(text: string | undefined): number | undefined {
  try {
    return text === undefined ? undefined : parseRing(text)
  } catch (error) {
    throw usage(`--capture-ring: ${reasonOf(error)}`)
  }
}

/** Declares the command line: to yargs, and to who makes manual pages and completions of it. */
function commandLine(parser: Argv, version: string): Argv<{ help?: boolean; version?: boolean }> {
  return parser
    .scriptName('hconnect')
    .usage('Bridges an Ethernet port of this machine to a virtual switch of a Hybridge hub, through SSH.')
    .command('$0', 'bridge the port; does not return, Ctrl-C ends it')
    .command('list', 'show the bridges that the user may join', hidingUnused('list'))
    .command(
      'restore',
      'put interfaces (-n NIC: one) back that a killed hconnect or hub left changed',
      hidingUnused('restore'),
    )
    .command('run', 'bridge all links of the configuration file, unattended', hidingUnused('run'))
    .command('status', 'show the links of every hconnect that runs on this machine', hidingUnused('status'))
    .command(
      'capture [link]',
      'write the capture ring of a running link to a file, and what comes after',
      (command) =>
        hidingUnused('capture')(command).positional('link', {
          type: 'string',
          describe: 'name of the link, if several have a ring',
        }),
    )
    .command(
      'doctor',
      'say what is wrong with this machine, the interface or the way to the hub, and the remedy',
      hidingUnused('doctor'),
    )
    .command('completion <shell>', 'print the completion script of a shell', (command) =>
      hidingUnused('completion')(command).positional('shell', { choices: SHELLS, describe: 'the shell' }),
    )
    .options({
      user: { alias: ['u', 'c'], requiresArg: true, string: true, describe: 'user name at the hub' },
      bridge: {
        alias: ['b', 'i'],
        requiresArg: true,
        string: true,
        describe: 'bridge to join; `hconnect list` shows them',
      },
      map: {
        requiresArg: true,
        string: true,
        describe: 'VLAN=BRIDGE or untagged=BRIDGE in place of -b; once for each of several bridges',
      },
      hub: {
        alias: 's',
        requiresArg: true,
        string: true,
        describe: 'the hub: HOST[:PORT], or wss://HOST[:PORT][/PATH]',
      },
      nic: {
        ...INTERFACE,
        alias: 'n',
        requiresArg: true,
        string: true,
        describe: 'network interface to bridge [eth1]',
      },
      mtu: {
        requiresArg: true,
        string: true,
        describe: `MTU to raise the interface to, ${MIN_MTU} to ${MAX_MTU} [what the driver takes]`,
      },
      driver: {
        ...oneOf(DRIVERS),
        requiresArg: true,
        string: true,
        describe: 'how to open it: packet or pcap [packet on Linux, else pcap]',
      },
      identity: { ...FILE, requiresArg: true, string: true, describe: 'private key file' },
      'known-hosts': {
        ...FILE,
        requiresArg: true,
        string: true,
        describe: 'known_hosts file instead of the usual ones',
      },
      jump: {
        requiresArg: true,
        string: true,
        describe: 'SSH hosts to go through: [USER@]HOST[:PORT], several joined by commas; or none',
      },
      proxy: {
        requiresArg: true,
        string: true,
        describe:
          'http://[USER@]HOST:PORT, https://..., socks5://..., or none; with a password: $HCONNECT_PROXY',
      },
      ca: {
        ...FILE,
        requiresArg: true,
        string: true,
        describe: 'certificates (PEM) to trust for wss:// [of the system]',
      },
      fingerprint: {
        requiresArg: true,
        string: true,
        describe: 'SHA256:... of the certificate of wss://, in place of authorities',
      },
      'accept-new': { boolean: true, describe: 'remember the key of a hub that is not known yet' },
      'allow-uplink': {
        boolean: true,
        describe: 'bridge the interface even if it is the one through which the hub is reached',
      },
      interval: { requiresArg: true, string: true, describe: 'seconds between reports [10]' },
      count: { requiresArg: true, string: true, describe: 'end after this many reports' },
      json: { boolean: true, describe: 'print one JSON object a line' },
      'capture-ring': {
        requiresArg: true,
        string: true,
        describe: "memory for the LAN's last frames, which `hconnect capture` writes: 1M to 512M [none]",
      },
      config: {
        ...FILE,
        requiresArg: true,
        string: true,
        describe: 'configuration file instead of the usual ones',
      },
      check: { boolean: true, describe: 'run: only look at the configuration, and say what it would do' },
      output: {
        ...FILE,
        alias: 'o',
        requiresArg: true,
        string: true,
        describe: 'capture: file, - for standard output',
      },
      once: { boolean: true, describe: 'capture: only what is there now' },
      tui: { boolean: true, describe: 'show a full-screen view instead of reports; ? shows its keys' },
      capture: {
        ...FILE,
        requiresArg: true,
        string: true,
        describe: 'write what passes the interface to a new pcapng file',
      },
      'super-frames': { boolean: true, hidden: true },
      'latency-control': { boolean: true, hidden: true },
      measure: { boolean: true, hidden: true },
      'no-latency-control': {
        boolean: true,
        describe: 'let queues grow, for bulk throughput',
      },
      connections: {
        requiresArg: true,
        string: true,
        describe: `connections to the hub, 1 to ${MOST_STREAMS} [auto: more than one on far paths, where buffers are small]`,
      },
      'no-measure': { boolean: true, describe: 'doctor: do not measure the speed of the way to the hub' },
      restore: { boolean: true, describe: 'doctor: put interfaces back as the command restore does' },
      'no-super-frames': { boolean: true, describe: 'cut super-frames first, to find faults' },
    })
    .group(['user', 'bridge', 'map', 'hub', 'nic'], 'What to join:')
    .example('hconnect -u ann -b private0 -s hub.example', '')
    .example('hconnect -u ann --map 10=private0 --map 20=private1 -s hub.example', '')
    .example('hconnect -u ann -b private0 -s hub.example:22 -n eth2 --accept-new', '')
    .example('hconnect list -u ann -s hub.example', '')
    .example('hconnect doctor -n eth1 -u ann -s hub.example', '')
    .epilog(EPILOG)
    .version(version)
    .alias('version', 'V')
    .help()
    .alias('help', 'h')
    .strict()
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'camel-case-expansion': false,
    })
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      throw usage(message ?? error?.message ?? 'cannot read the command line')
    })
}

/** Keeps out of a command's help what is nothing to it. */
const hidingUnused =
  (command: CommandName) =>
  (parser: Argv): Argv =>
    unusedOptions(command, LONG_NAMES)
      .filter((name) => name !== 'help' && name !== 'version')
      .reduce((hiding, name) => hiding.hide(name), parser)

export const describeHconnect = (): CommandDescription =>
  describeCommandLine('hconnect', (declaring) => commandLine(declaring, ''))

/** A paragraph a line: yargs breaks them to the terminal's width. */
const EPILOG = `A password is asked for on the terminal, or taken from $HCONNECT_PASSWORD; keys come from ssh-agent, --identity and ~/.ssh.
Defaults: $HCONNECT_HUB, $HCONNECT_NIC, then the keys of the same names in ~/.config/hybridge/hconnect.yaml or /etc/hybridge/hconnect.yaml. The port comes from HOST:PORT, ssh's configuration, or is ${DEFAULT_HUB_PORT}.
Signals: SIGHUP reconnects now; SIGINT and SIGTERM end with a last report, a second one ends at once.

Exit codes:
${EXIT_CODES.map(([code, meaning]) => `${String(code).padStart(4)}  ${meaning}`).join('\n')}`

const usage = (message: string): ExitError =>
  new ExitError(EXIT_USAGE, `${message} (hconnect --help shows the options)`)

/** The bridges to join, one without `--map`. The command line's choice holds before the file's. @throws ExitError */
export function settleBridges(args: Arguments, config: ConfigFile): BridgeChoice[] {
  const isGiven = args.bridge !== undefined || args.map.length > 0
  const { bridge, map = [] } = isGiven ? args : config
  if (bridge !== undefined && map.length > 0)
    throw usage('a bridge and a map are given: use -b for one bridge, or --map for one or more by VLAN')
  if (bridge === undefined && map.length === 0)
    throw usage('no bridge given: use -b NAME; `hconnect list` shows the bridges that you may join')
  try {
    return bridge === undefined ? parseMap(map) : [{ bridge: checkBridge(bridge), vlan: undefined }]
  } catch (error) {
    throw error instanceof ConfigError ? usage(error.message) : error
  }
}

/** The network interface to bridge. */
export function settleNic(
  args: Arguments,
  env: NodeJS.ProcessEnv,
  config: ConfigFile,
  system: NodeJS.Platform = process.platform,
): string {
  const nic = args.nic ?? (env['HCONNECT_NIC'] || undefined) ?? config.nic ?? DEFAULT_NIC
  // As Linux has it (dev_valid_name); the names that Npcap gives are longer.
  if (!(system === 'linux' ? /^[^\s/]{1,15}$/ : /^[^\s/]{1,255}$/).test(nic))
    throw usage(`bad interface name ${JSON.stringify(nic)}`)
  return nic
}

/** @throws ExitError */
export function settleDriver(
  args: Arguments,
  config: ConfigFile,
  system: NodeJS.Platform = process.platform,
): Driver {
  const wanted = args.driver ?? config.driver ?? (system === 'linux' ? 'packet' : 'pcap')
  const driver = DRIVERS.find((name) => name === wanted)
  if (driver === undefined) throw usage(`--driver ${wanted}: expected packet or pcap`)
  if (driver === 'packet' && system !== 'linux') throw usage('--driver packet needs Linux: use --driver pcap')
  if (driver === 'pcap' && (args.allowUplink || config['allow-uplink'] === true))
    throw usage('--allow-uplink needs --driver packet: libpcap cannot keep the tunnel itself out')
  return driver
}

/** The hub and the user. `sshConfig` is asked about the host. @throws ExitError */
export async function settleTarget(
  args: Arguments,
  env: NodeJS.ProcessEnv,
  config: ConfigFile,
  sshConfig: (host: string) => Promise<SshConfig>,
): Promise<Target> {
  const text = args.hub ?? (env['HCONNECT_HUB'] || undefined) ?? config.hub
  if (text === undefined) throw usage('no hub given: use -s HOST, or set HCONNECT_HUB')
  const url = orUsage(() => parseHubUrl(text))
  const given = url ?? orUsage(() => parseHubAddress(text))
  const ssh = await sshConfig(given.host)
  // ssh answers with the login name when its configuration has no user.
  const user = args.user ?? config.user ?? (ssh.user === loginName() ? undefined : ssh.user)
  if (user === undefined) throw usage('no user given: use -u USER')
  const identity = args.identity ?? config.identity
  return {
    // The name in a URL is the one that its certificate is for.
    host: url?.host ?? ssh.hostname ?? given.host,
    port: given.port ?? ssh.port ?? DEFAULT_HUB_PORT,
    user,
    identity: identity === undefined ? undefined : secretPath(identity, env),
    identityFiles: identityFilesOf(ssh),
    path: url?.path,
    ssh,
  }
}

/** Key files to try where `ssh` is what ssh's configuration says. */
export const identityFilesOf = (ssh: SshConfig): string[] => [
  ...new Set([
    ...ssh.identityFiles,
    ...(ssh.identitiesOnly ? [] : DEFAULT_IDENTITIES.map((file) => expandHome(file, homedir()))),
  ]),
]

/** @throws ExitError EXIT_USAGE in place of ConfigError */
export function orUsage<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw error instanceof ConfigError ? usage(error.message) : error
  }
}

function loginName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}
