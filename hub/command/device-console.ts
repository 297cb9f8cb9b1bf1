/** `hybridge device console`: the console of a device, on this terminal. */
import type { CommandModule } from 'yargs'
import { withHub } from '#hub/command/ask-hub.ts'
import type { Context } from '#hub/command/context.ts'

export const deviceConsoleCommand = (
  context: Context,
): CommandModule<object, { device: string; data?: string | undefined }> => ({
  command: 'console <device>',
  describe: 'Look at and type on the console of a device',
  builder: (yargs) =>
    yargs
      .positional('device', {
        type: 'string',
        demandOption: true,
        describe: 'DEVICE, or TOPOLOGY/DEVICE when several topologies have one of that name',
      })
      .example('$0 device console h1', 'Ctrl-] ? helps, Ctrl-] q leaves')
      .example('echo "ip route" | $0 device console two-lans/h1', 'for programs'),
  handler: async ({ device, data }) => {
    const { parseDevice } = await import('#hub/console/device.ts')
    const { showConsole } = await import('#hub/command/console-terminal.ts')
    await withHub(context, data, async (hub) => {
      const find = async () => parseDevice(await hub.call('device.find', { device }))
      await showConsole(context, await find(), find)
    })
  },
})
