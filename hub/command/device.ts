/** `hybridge device ...`: devices of running topologies. */
import type { CommandModule } from 'yargs'
import type { Context } from '#hub/command/context.ts'
import { deviceConsoleCommand } from '#hub/command/device-console.ts'

export const deviceCommand = (context: Context): CommandModule<object, object> => ({
  command: 'device',
  describe: 'Look at devices of running topologies',
  builder: (yargs) =>
    yargs.command(deviceConsoleCommand(context)).demandCommand(1, 'which of: device console?'),
  handler: () => {},
})
