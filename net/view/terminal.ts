/** What the terminal can do, by its streams and the environment. Pure but for asking the streams. */
import { ConfigError } from '#net/base/errors.ts'
import type { Palette } from '#net/view/paint.ts'

/** As far as the view cares about process.stdin and process.stdout. */
export interface TerminalStreams {
  readonly input: { readonly isTTY?: boolean }
  readonly output: { readonly isTTY?: boolean }
}

const WITHOUT_CURSOR = new Set(['', 'dumb', 'unknown', 'emacs', 'network'])

/**
 * How to draw there.
 * @throws ConfigError when the full-screen view cannot be shown there
 */
export function settleTerminal({ input, output }: TerminalStreams, env: NodeJS.ProcessEnv): Palette {
  if (input.isTTY !== true || output.isTTY !== true)
    throw new ConfigError(
      'the full-screen view needs a terminal as standard input and output (through ssh: ssh -t); leave it out for a text report',
    )
  const term = env['TERM'] ?? ''
  if (WITHOUT_CURSOR.has(term))
    throw new ConfigError(
      `the full-screen view needs a terminal that can move its cursor, and TERM is ${term === '' ? 'not set' : term}; set TERM, or leave the view out for a text report`,
    )
  return { colours: coloursOf(term, env), isUtf8: isUtf8(env) }
}

function coloursOf(term: string, env: NodeJS.ProcessEnv): Palette['colours'] {
  // Any value but the empty one: https://no-color.org
  if ((env['NO_COLOR'] ?? '') !== '') return 0
  if (/^(vt|ansi-mono|.*-m$|.*-mono$)/.test(term)) return 0
  return /256|direct|kitty|alacritty|ghostty|foot|wezterm/.test(term) || (env['COLORTERM'] ?? '') !== ''
    ? 256
    : 8
}

/** The locale's character set, as setlocale(3) finds it; the linux console and VT terminals have few others to show. */
function isUtf8(env: NodeJS.ProcessEnv): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return /utf-?8/i.test(locale) && !/^(linux|vt\d)/.test(env['TERM'] ?? '')
}
