/** Which options each command looks at: its help shows those, and others with it are refused. */

const HUB = [
  'user',
  'hub',
  'identity',
  'known-hosts',
  'jump',
  'proxy',
  'ca',
  'fingerprint',
  'accept-new',
  'config',
  'json',
]
const LINK = [
  ...HUB,
  'bridge',
  'map',
  'nic',
  'mtu',
  'driver',
  'allow-uplink',
  'latency-control',
  'connections',
  'super-frames',
]

/** By command; `--no-NAME` goes by NAME. */
const USED = {
  connect: [...LINK, 'interval', 'count', 'tui', 'capture', 'capture-ring'],
  list: HUB,
  restore: ['nic', 'json'],
  run: ['config', 'check', 'json'],
  status: ['json'],
  capture: ['output', 'once'],
  doctor: [...LINK, 'measure', 'restore'],
  completion: [],
} as const satisfies Record<string, readonly string[]>

/** `connect` is the one without a word. */
export type CommandName = keyof typeof USED

const isCommand = (word: string): word is CommandName => Object.hasOwn(USED, word) && word !== 'connect'

/** What the first word of a command line stands for. */
export const commandOf = (word: unknown): CommandName =>
  typeof word === 'string' && isCommand(word) ? word : 'connect'

const plain = (option: string): string => option.replace(/^no-/, '')

/** Those of `options`, long names, that the command does not look at. */
export function unusedOptions(command: CommandName, options: readonly string[]): string[] {
  const used: readonly string[] = USED[command]
  return options.filter((option) => !used.includes(plain(option)))
}
