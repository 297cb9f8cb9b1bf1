/** What concerns the session and the hub. */
import type { Command, Menu } from '#hub/vde/console/command.ts'
import { Refusal } from '#hub/vde/console/refusal.ts'

const octal = (mode: number): string => `0${mode.toString(8).padStart(3, '0')}`

export const DATA_SOCKET_COMMANDS: readonly (Command | Menu)[] = [
  { path: 'ds', menu: true, help: 'DATA SOCKETS' },
  {
    path: 'ds/showinfo',
    help: 'where VDE clients plug in',
    *lines({ console: { bridge, facts } }) {
      const vde = facts.vde()
      if (!vde) throw new Refusal('ENXIO', `${bridge.name} has no VDE directory`)
      yield `ctl dir ${vde.directory}`
      yield `std mode ${octal(vde.mode)}`
    },
  },
]

export const SESSION_COMMANDS: readonly Command[] = [
  {
    path: 'logout',
    help: 'end this session',
    run: ({ session }) => {
      session.isOver = true
    },
  },
  {
    path: 'shutdown',
    help: 'refused: the operator stops the hub',
    run: () => {
      throw new Refusal('EPERM', 'the hub ends when its operator stops "hybridge serve"')
    },
  },
  {
    path: 'showinfo',
    help: 'process, socket, how long it runs',
    *lines({ console: { bridge, facts }, now }) {
      yield `Hybridge, switch ${bridge.name}`
      yield ''
      yield `pid ${facts.pid} MAC ${bridge.spanningTree.address} uptime ${Math.floor((now - facts.startedAt) / 1000)}`
      yield `mgmt ${facts.path} perm ${octal(facts.mode)}`
    },
  },
]
