/**
 * What can be asked of the hub's SSH port: `ssh hub hybridge list`, ports, captures, the tunnel that hconnect opens, a plug for
 * VDE, a measurement, consoles.
 */
import { type CaptureWords, parseCaptureWords } from '#hub/base/capture-request.ts'

export type GatewayCommand =
  | { readonly kind: 'bridge'; readonly bridge: string }
  | { readonly kind: 'list'; readonly json: boolean }
  /** What a name means. */
  | { readonly kind: 'find'; readonly bridge: string }
  | { readonly kind: 'ports'; readonly bridge: string; readonly json: boolean }
  | { readonly kind: 'plug'; readonly bridge: string }
  | { readonly kind: 'capture'; readonly words: CaptureWords }
  | { readonly kind: 'console'; readonly device: string }
  | { readonly kind: 'devices'; readonly json: boolean }
  /** `ms`: how long the hub is to send. */
  | { readonly kind: 'measure'; readonly direction: 'up' | 'down'; readonly ms: number }

/** What a person is told who asks for anything else. */
export const OFFERED =
  'this hub offers: hybridge bridge NAME (for hconnect), hybridge list [--json], hybridge find NAME, ' +
  'hybridge ports BRIDGE [--json], vde_plug BRIDGE, capture BRIDGE [PORT] [OPTION...], ' +
  'console DEVICE, devices [--json]'

/** @returns undefined for what is not offered @throws ConfigError for a command with wrong options */
export function parseCommand(text: string): GatewayCommand | undefined {
  const words = text.trim().split(/\s+/)
  const consoles = parseConsole(words[0] === 'hybridge' ? words.slice(1) : words)
  if (consoles) return consoles
  const [program, verb, ...rest] = words
  if (program === 'vde_plug' && verb !== undefined && rest.length === 0) return { kind: 'plug', bridge: verb }
  if (program === 'capture')
    return { kind: 'capture', words: parseCaptureWords(verb === undefined ? rest : [verb, ...rest]) }
  if (program !== 'hybridge') return undefined
  if (verb === 'capture') return { kind: 'capture', words: parseCaptureWords(rest) }
  const [argument] = rest
  if (verb === 'bridge' && rest.length === 1 && argument !== undefined)
    return { kind: 'bridge', bridge: argument }
  if (verb === 'find' && rest.length === 1 && argument !== undefined)
    return { kind: 'find', bridge: argument }
  if (verb === 'measure') return parseMeasure(rest)
  if (verb === 'list' && (rest.length === 0 || (rest.length === 1 && argument === '--json')))
    return { kind: 'list', json: rest.length === 1 }
  if (verb === 'ports') return parsePorts(rest)
  return undefined
}

function parseConsole(words: readonly string[]): GatewayCommand | undefined {
  const [verb, argument] = words
  if (verb === 'console' && words.length === 2 && argument !== undefined)
    return { kind: 'console', device: argument }
  if (verb === 'devices' && (words.length === 1 || (words.length === 2 && argument === '--json')))
    return { kind: 'devices', json: words.length === 2 }
  return undefined
}

/** `up`, or `down` with milliseconds. */
function parseMeasure(words: readonly string[]): GatewayCommand | undefined {
  const [direction, text = '', ...more] = words
  if (direction === 'up' && words.length === 1) return { kind: 'measure', direction, ms: 0 }
  if (direction !== 'down' || more.length > 0 || !/^\d{1,6}$/.test(text)) return undefined
  return { kind: 'measure', direction, ms: Number(text) }
}

function parsePorts(words: readonly string[]): GatewayCommand | undefined {
  const names = words.filter((word) => word !== '--json')
  const [bridge] = names
  if (bridge === undefined || bridge.startsWith('-') || names.length > 1 || words.length > 2) return undefined
  return { kind: 'ports', bridge, json: words.length === 2 }
}
