/** `loop-protection=on|off` of a bridge. */
import { ConfigError } from '#net/base/errors.ts'

/** @throws ConfigError */
export function parseLoopProtection(text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on'
  throw new ConfigError(`loop-protection=${text} is not valid: it is on or off`)
}
