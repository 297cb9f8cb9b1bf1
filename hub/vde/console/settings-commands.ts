/** Ours, not VDE's: whatever `hybridge bridge set` and `hybridge bridge port set` change. */
import { ProtocolError } from '#net/base/errors.ts'
import type { Bridge } from '#hub/fabric/bridge.ts'
import { applySettings, BRIDGE_SETTINGS, PORT_SETTINGS, readSettings } from '#hub/fabric/settings.ts'
import { type Command, type Menu, portOf, printable } from '#hub/vde/console/command.ts'
import { fourDigits } from '#hub/vde/console/number.ts'
import { Refusal } from '#hub/vde/console/refusal.ts'

/** @throws Refusal */
export function changeBridge(bridge: Bridge, words: readonly string[]): void {
  change(() => applySettings(BRIDGE_SETTINGS, bridge, settingsOf(words)))
}

function change(apply: () => void): void {
  try {
    apply()
  } catch (error) {
    if (error instanceof ProtocolError) throw new Refusal('EINVAL', printable(error.message))
    throw error
  }
}

function settingsOf(words: readonly string[]): Record<string, string> {
  const pairs = words.map((word): [string, string] => {
    const equals = word.indexOf('=')
    if (equals < 1) throw new Refusal('EINVAL', 'settings are written NAME=VALUE, as mode=access,vlan=10')
    return [word.slice(0, equals), word.slice(equals + 1)]
  })
  if (pairs.length === 0) throw new Refusal('EINVAL')
  return Object.fromEntries(pairs)
}

const settingsText = (settings: Record<string, string>): string =>
  Object.entries(settings)
    .map(([name, value]) => ` ${name}=${value}`)
    .join('')

export const SETTINGS_COMMANDS: readonly (Command | Menu)[] = [
  { path: 'set', menu: true, help: 'SETTINGS OF HYBRIDGE' },
  {
    path: 'set/bridge',
    syntax: 'NAME=VALUE...',
    help: 'as "hybridge bridge set"',
    run: ({ console: { bridge }, words }) => changeBridge(bridge, words),
  },
  {
    path: 'set/port',
    syntax: 'N NAME=VALUE...',
    help: 'as "hybridge bridge port set"',
    run: (call) => {
      const [port, ...words] = call.words
      const target = { bridge: call.console.bridge, entry: portOf(call, port) }
      change(() => applySettings(PORT_SETTINGS, target, settingsOf(words)))
    },
  },
  {
    path: 'set/print',
    help: 'list what is not at its default',
    *lines({ console: { bridge } }) {
      yield `Bridge ${bridge.name}${settingsText(readSettings(BRIDGE_SETTINGS, bridge))}`
      for (const entry of bridge.switch.portList)
        yield `Port ${fourDigits(entry.number)}${settingsText(readSettings(PORT_SETTINGS, { bridge, entry }))}`
    },
  },
]
