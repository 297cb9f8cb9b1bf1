/** Commands of vde_switch that a hub does not carry out: known, and answered with why. */
import type { Call, Command, Menu } from '#hub/vde/console/command.ts'
import { type ErrorName, Refusal } from '#hub/vde/console/refusal.ts'

const refused =
  (name: ErrorName, why: string): (() => never) =>
  () => {
    throw new Refusal(name, why)
  }
const noFiles = refused(
  'EPERM',
  'the hub reads no files for its consoles; pipe the commands into this socket',
)
const noPlugins = refused('ENOSYS', 'a hub loads no plugins')

export const LOAD_COMMAND: Command = {
  path: 'load',
  syntax: 'path',
  help: 'refused: no files are read',
  run: noFiles,
}

export const PLUGIN_COMMANDS: readonly (Command | Menu)[] = [
  { path: 'plugin', menu: true, help: 'PLUGINS: THERE ARE NONE' },
  {
    path: 'plugin/list',
    help: 'an empty list',
    *lines() {
      yield 'NAME                   HELP'
      yield '------------           ----'
      throw new Refusal('ENOENT')
    },
  },
  { path: 'plugin/add', syntax: 'library', help: 'refused', run: noPlugins },
  { path: 'plugin/del', syntax: 'name', help: 'refused', run: noPlugins },
]

/** The spanning tree that VDE invented is understood by itself only. */
const spanningTree = ({ console: { bridge } }: Call): never => {
  throw new Refusal('ENOSYS', `standard RSTP instead: hybridge bridge set ${bridge.name} rstp=on`)
}

export const FSTP_COMMANDS: readonly (Command | Menu)[] = [
  { path: 'fstp', menu: true, help: "VDE'S SPANNING TREE: RSTP INSTEAD" },
  { path: 'fstp/showinfo', help: 'refused', lines: spanningTree },
  { path: 'fstp/setfstp', syntax: '0/1', help: 'refused', lines: spanningTree },
  { path: 'fstp/setedge', syntax: 'VLAN PORT 1/0', help: 'refused', run: spanningTree },
  { path: 'fstp/bonus', syntax: 'VLAN PORT COST', help: 'refused', run: spanningTree },
  { path: 'fstp/print', syntax: '[N]', help: 'refused', lines: spanningTree },
]
