/** What is asked of the fabric on run/capture.sock, in one JSON line; and as people write it. */
import { z } from 'zod'
import { ConfigError } from '#net/base/errors.ts'
import { DIRECTIONS } from '#net/capture/capture.ts'
import { LONGEST_BRIDGE } from '#hub/base/fabric-sockets.ts'
import { LONGEST_FILTER } from '#net/capture/filter-words.ts'

/** Octets that any frame has at most; 0 on a command line means it, too. */
const MOST_SNAP = 262_144
const MOST_PACKETS = 2_000_000_000
const MOST_SECONDS = 7 * 24 * 3600

export const CaptureRequest = z.object({
  bridge: z.string().max(LONGEST_BRIDGE),
  /** All ports when absent. */
  port: z.int().min(1).max(1024).optional(),
  /** Of whom the limits are; empty: an operator. */
  user: z.string().max(256),
  filter: z.string().max(LONGEST_FILTER).optional(),
  direction: z.enum(DIRECTIONS),
  drops: z.boolean(),
  snap: z.int().min(1).max(MOST_SNAP),
  /** Packets. */
  count: z.int().min(1).max(MOST_PACKETS).optional(),
  seconds: z.number().min(0.1).max(MOST_SECONDS).optional(),
})
export type CaptureRequest = z.infer<typeof CaptureRequest>

/** The words of a request, as text. */
export interface CaptureWords {
  readonly bridge: string
  readonly port?: string | undefined
  readonly filter?: string | undefined
  readonly direction?: string | undefined
  readonly drops?: boolean | undefined
  readonly snap?: string | undefined
  readonly count?: string | undefined
  readonly seconds?: string | undefined
}

/** @throws ConfigError */
export function captureRequest(words: CaptureWords, user: string): CaptureRequest {
  const { bridge, filter, drops = false } = words
  const port = number('PORT', words.port, 1, 1024)
  const direction = DIRECTIONS.find((known) => known === words.direction)
  if (words.direction !== undefined && (direction === undefined || direction === 'once'))
    throw new ConfigError(`--direction is in, out or both, not "${words.direction}"`)
  if (filter !== undefined && filter.length > LONGEST_FILTER)
    throw new ConfigError(`the filter is longer than ${LONGEST_FILTER} characters`)
  const snap = number('--snaplen', words.snap, 0, MOST_SNAP)
  const count = number('--count', words.count, 1, MOST_PACKETS)
  const seconds = number('--duration', words.seconds, 1, MOST_SECONDS)
  return {
    bridge,
    ...(port !== undefined && { port }),
    user,
    ...(filter !== undefined && filter.trim() !== '' && { filter }),
    direction: direction ?? (port === undefined && !drops ? 'once' : 'both'),
    drops,
    snap: snap === undefined || snap === 0 ? MOST_SNAP : snap,
    ...(count !== undefined && { count }),
    ...(seconds !== undefined && { seconds }),
  }
}

/** `private0 port 3`, for people. */
export const captureTarget = ({
  bridge,
  port,
}: Pick<CaptureRequest | CaptureWords, 'bridge' | 'port'>): string =>
  port === undefined ? bridge : `${bridge} port ${port}`

function number(name: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d{1,16}$/.test(text) && value >= least && value <= most) return value
  throw new ConfigError(`${name} is a number from ${least} to ${most}, not "${text.slice(0, 64)}"`)
}

/** Options of a capture over SSH that have a value, and the fields that they fill. */
const VALUED: Readonly<Record<string, string>> = {
  '--filter': 'filter',
  '--direction': 'direction',
  '--snaplen': 'snap',
  '-s': 'snap',
  '--count': 'count',
  '-c': 'count',
  '--duration': 'seconds',
  '--write': 'write',
  '-w': 'write',
}
const USAGE =
  'capture BRIDGE [PORT] [--filter FILTER] [-c N] [-s N] [--direction in|out|both] [--drops] [--duration SECONDS]'

/**
 * Reads `private0 3 --filter tcp port 80 -c 10`. SSH joins the words of a command by blanks, so that a filter's reach to
 * the next option; quotes around it do no harm. @throws ConfigError
 */
export function parseCaptureWords(text: readonly string[]): CaptureWords {
  const found = new Map<string, string[]>()
  const places: string[] = []
  let drops = false
  /** Where the next word goes. */
  let values = places
  for (const word of text.flatMap(splitOption)) {
    const field = Object.hasOwn(VALUED, word) ? VALUED[word] : undefined
    if (field !== undefined) {
      if (found.has(field)) throw new ConfigError(`${word} is given twice`)
      values = []
      found.set(field, values)
    } else if (word === '--drops') {
      drops = true
      values = places
    } else if (/^-./.test(word))
      throw new ConfigError(`unknown option ${word.slice(0, 64)}; there is: ${USAGE}`)
    else {
      values.push(word)
      if (values !== found.get('filter')) values = places
    }
  }
  const empty = [...found].find(([, words]) => words.length === 0)
  if (empty) throw new ConfigError(`${empty[0]} has no value; there is: ${USAGE}`)
  const [bridge, port, ...more] = places
  if (bridge === undefined || more.length > 0) throw new ConfigError(`there is: ${USAGE}`)
  const { write = '-', filter, ...options } = Object.fromEntries([...found].map(([k, v]) => [k, v.join(' ')]))
  if (write !== '-') throw new ConfigError('a capture over SSH goes to standard output: send that to a file')
  return { bridge, port, drops, ...options, filter: filter?.replaceAll(/["']/g, '') }
}

/** `--count=3` is two words. */
function splitOption(word: string): string[] {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1
  return equals < 0 ? [word] : [word.slice(0, equals), word.slice(equals + 1)]
}
