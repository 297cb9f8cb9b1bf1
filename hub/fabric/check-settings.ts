/** Settings of bridges and ports, checked before there is a bridge: what `settings.ts` will take when it runs. */
import { ConfigError } from '#net/base/errors.ts'
import { parseImpairment } from '#net/impairment/impairment-text.ts'
import { parseBlock } from '#net/switch/guards/block.ts'
import { parseStorm } from '#net/switch/guards/storm.ts'
import { parsePortMode } from '#net/switch/port-mode.ts'
import { parseLoopProtection } from '#hub/fabric/loop-setting.ts'
import {
  DEFAULT_RSTP,
  DEFAULT_RSTP_PORT,
  RSTP_BRIDGE_OPTIONS,
  RSTP_PORT_OPTIONS,
  withRstpBridge,
  withRstpPort,
} from '#hub/fabric/rstp-settings.ts'

type Settings = Readonly<Record<string, string>>
type Checks = Readonly<Record<string, (text: string) => unknown>>

/** Settings that a port may have from the start, beside its mode and what is RSTP's. */
export const PORT_CHECKS: Checks = {
  block: parseBlock,
  storm: parseStorm,
  impair: parseImpairment,
  'impair-in': parseImpairment,
  'impair-out': parseImpairment,
}

/** Settings that a bridge may have from the start, beside `ageing`. */
export const BRIDGE_OPTIONS: readonly string[] = [...RSTP_BRIDGE_OPTIONS, 'loop-protection']

/** @throws ConfigError that names setting, value, what is allowed */
export function checkBridgeSettings(settings: Settings): void {
  withRstpBridge(DEFAULT_RSTP, settings)
  parseLoopProtection(settings['loop-protection'] ?? 'on')
  if (settings['ageing'] !== undefined) parseAgeing(settings['ageing'])
  refuseUnknown(settings, ['ageing', ...BRIDGE_OPTIONS])
}

/** @throws ConfigError that names setting, value, what is allowed */
export function checkPortSettings(settings: Settings): void {
  withRstpPort(DEFAULT_RSTP_PORT, settings)
  const checks: Checks = { ...PORT_CHECKS, mode: (text) => parsePortMode(`mode=${text}`), link: parseLink }
  for (const [name, text] of Object.entries(settings)) if (Object.hasOwn(checks, name)) checks[name]?.(text)
  refuseUnknown(settings, [...RSTP_PORT_OPTIONS, ...Object.keys(checks)])
}

/** @returns seconds @throws ConfigError */
export function parseAgeing(text: string): number {
  const seconds = Number(text)
  if (/^\d{1,7}$/.test(text) && seconds >= 10 && seconds <= 1_000_000) return seconds
  throw new ConfigError(`ageing=${text} is not valid: it is 10 to 1000000 seconds (IEEE 802.1Q)`)
}

/** @returns whether it is down @throws ConfigError */
export function parseLink(text: string): boolean {
  if (text === 'up' || text === 'down') return text === 'down'
  throw new ConfigError(`link=${text} is not valid: it is up or down`)
}

function refuseUnknown(settings: Settings, known: readonly string[]): void {
  const unknown = Object.keys(settings).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new ConfigError(`unknown setting ${unknown}; known are ${known.join(', ')}`)
}
