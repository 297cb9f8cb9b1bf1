/** All commands of the console, in the order of the help. */
import type { Command, Menu } from '#hub/vde/console/command.ts'
import { DEBUG_COMMANDS } from '#hub/vde/console/debug-commands.ts'
import { DATA_SOCKET_COMMANDS, SESSION_COMMANDS } from '#hub/vde/console/general-commands.ts'
import { HASH_COMMANDS } from '#hub/vde/console/hash-commands.ts'
import { PORT_COMMANDS } from '#hub/vde/console/port-commands.ts'
import { FSTP_COMMANDS, LOAD_COMMAND, PLUGIN_COMMANDS } from '#hub/vde/console/refused-commands.ts'
import { SETTINGS_COMMANDS } from '#hub/vde/console/settings-commands.ts'
import { VLAN_COMMANDS } from '#hub/vde/console/vlan-commands.ts'

const HELP: Command = {
  path: 'help',
  syntax: '[prefix]',
  help: 'this list, or what begins so',
  *lines({ words: [prefix = ''] }) {
    yield 'COMMAND PATH       SYNTAX          HELP'
    yield '------------       --------------  ------------'
    for (const row of ROWS) {
      if (!row.path.startsWith(prefix)) continue
      const syntax = 'menu' in row ? '============' : (row.syntax ?? '')
      yield `${row.path.padEnd(18)} ${syntax.padEnd(15)} ${row.help}`
    }
  },
}

const ROWS: readonly (Command | Menu)[] = [
  ...DATA_SOCKET_COMMANDS,
  HELP,
  ...SESSION_COMMANDS,
  LOAD_COMMAND,
  ...DEBUG_COMMANDS,
  ...PLUGIN_COMMANDS,
  ...HASH_COMMANDS,
  ...FSTP_COMMANDS,
  ...PORT_COMMANDS,
  ...VLAN_COMMANDS,
  ...SETTINGS_COMMANDS,
]

export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  ROWS.flatMap((row): [string, Command][] => ('menu' in row ? [] : [[row.path, row]])),
)
