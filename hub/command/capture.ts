/** `hybridge capture ...`: what passes a port of the running hub, as a capture file. */
import type { CommandModule } from 'yargs'
import { ConfigError } from '#net/base/errors.ts'
import { FILE } from '#net/cli/values.ts'
import { refuseTerminal, saveCapture } from '#net/capture/save-capture.ts'
import { openCapture } from '#hub/base/capture-client.ts'
import { captureRequest, captureTarget, type CaptureWords } from '#hub/base/capture-request.ts'
import { askHub, inDataDirectory } from '#hub/command/ask-hub.ts'
import { parseFound } from '#hub/command/show-text.ts'
import type { Context } from '#hub/command/context.ts'

interface Capture extends CaptureWords {
  readonly write: string
  readonly data?: string | undefined
  readonly snaplen?: string | undefined
  readonly duration?: string | undefined
}

export const captureCommand = (context: Context): CommandModule<object, Capture> => ({
  command: 'capture <bridge> [port]',
  describe: 'Watch a port, or a whole bridge, as a pcapng capture',
  builder: (yargs) =>
    yargs
      .positional('bridge', { type: 'string', demandOption: true, describe: 'Name of the bridge' })
      .positional('port', { type: 'string', describe: 'Only this port (a number of show ports)' })
      .option('filter', {
        type: 'string',
        requiresArg: true,
        describe: 'As of tcpdump: "host 10.0.0.1 and tcp port 80"',
      })
      .option('write', {
        ...FILE,
        alias: 'w',
        type: 'string',
        requiresArg: true,
        default: '-',
        describe: 'File, 0600 if new; -: standard output',
      })
      .option('count', {
        alias: 'c',
        type: 'string',
        requiresArg: true,
        describe: 'End after so many packets',
      })
      .option('snaplen', {
        alias: 's',
        type: 'string',
        requiresArg: true,
        describe: 'Octets kept of each packet (all)',
      })
      .option('direction', {
        type: 'string',
        requiresArg: true,
        describe: 'in, out or both, as the switch sees it (a port: both; a bridge: in, and drops)',
      })
      .option('drops', {
        type: 'boolean',
        default: false,
        describe: 'Only what was dropped; why is its comment',
      })
      .option('duration', { type: 'string', requiresArg: true, describe: 'End after so many seconds' })
      .example('$0 capture private0 | wireshark -k -i -', 'all that comes into a bridge, live')
      .example('$0 capture private0 3 --filter "arp or icmp" | tcpdump -r -', 'of port 3')
      .example('$0 capture private0 --drops -c 10 -w drops.pcapng', 'what is lost, and why')
      .epilogue('Ctrl-C ends it; the file is whole then.'),
  handler: async ({ data, write, snaplen, duration, ...words }) => {
    const asked = captureRequest({ ...words, snap: snaplen, seconds: duration }, '')
    if (write === '') throw new ConfigError('-w needs the name of a file, or - for standard output')
    refuseTerminal(write, context.stdout, 'hybridge capture ... | tcpdump -r -')
    const { bridge } = parseFound(await askHub(context, data, 'bridge.find', { name: asked.bridge }))
    const request = { ...asked, bridge }
    const capture = await inDataDirectory(context, data, () => openCapture(request))
    await saveCapture(capture, write, captureTarget(request), context)
  },
})
