/** Events that a session asks for. */
import type { Call, Command, Menu } from '#hub/vde/console/command.ts'
import { DEBUG_CATEGORIES, type DebugCategory, tagText } from '#hub/vde/console/debug-category.ts'
import { Refusal } from '#hub/vde/console/refusal.ts'

const matching = ({ words: [prefix = ''] }: Call): DebugCategory[] =>
  DEBUG_CATEGORIES.filter(({ path }) => path.startsWith(prefix))

/** @returns whether any was not already so */
function subscribe(call: Call, wanted: boolean): boolean {
  const { subscriptions } = call.session
  const categories = matching(call)
  if (categories.length === 0) throw new Refusal('EINVAL')
  const changed = categories.filter((category) => subscriptions.has(category) !== wanted)
  for (const category of changed) {
    if (wanted) subscriptions.add(category)
    else subscriptions.delete(category)
  }
  call.console.subscriptionsChanged()
  return changed.length > 0
}

export const DEBUG_COMMANDS: readonly (Command | Menu)[] = [
  { path: 'debug', menu: true, help: 'EVENTS' },
  {
    path: 'debug/list',
    syntax: '[prefix]',
    help: 'list kinds of events',
    *lines(call) {
      yield 'CATEGORY               TAG STATUS HELP'
      yield '------------           --- ------ ----'
      const categories = matching(call)
      for (const category of categories) {
        const status = call.session.subscriptions.has(category) ? 'ON' : 'OFF'
        yield `${category.path.padEnd(22)} ${tagText(category.tag)} ${status.padEnd(6)} ${category.help}`
      }
      if (categories.length === 0) throw new Refusal('ENOENT')
    },
  },
  {
    path: 'debug/add',
    syntax: '[prefix]',
    help: 'tell this session of events',
    run: (call) => {
      if (!subscribe(call, true)) throw new Refusal('EEXIST')
    },
  },
  {
    path: 'debug/del',
    syntax: '[prefix]',
    help: 'tell it no more',
    run: (call) => {
      if (!subscribe(call, false)) throw new Refusal('ENOENT')
    },
  },
]
