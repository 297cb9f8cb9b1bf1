/** `hconnect capture`: the last frames of a running link's LAN, and those that follow, into a file. */
import type { Arguments } from '#agent/options.ts'
import type { Output } from '#agent/output.ts'
import { captureSocket } from '#agent/service/runtime-directory.ts'
import { askAgents } from '#agent/service/status.ts'
import { ConfigError } from '#net/base/errors.ts'
import { openCapture } from '#net/capture/capture-client.ts'
import { refuseTerminal, saveCapture } from '#net/capture/save-capture.ts'

/** @throws ConfigError, SystemError, ProtocolError */
export async function capture(args: Arguments, env: NodeJS.ProcessEnv, output: Output): Promise<void> {
  const file = args.output ?? '-'
  refuseTerminal(file, process.stdout, 'hconnect capture | tcpdump -r -')
  const answers = await askAgents(env, output.log)
  const links = answers.flatMap(({ path, agent }) => agent.links.map((link) => ({ path, link })))
  const kept = links.filter(({ link }) => link.hasCaptureRing)
  const wanted = args.link === undefined ? kept : kept.filter(({ link }) => link.name === args.link)
  const [found, second] = wanted
  if (found === undefined)
    throw new ConfigError(
      refusal(
        args.link,
        links.map(({ link }) => link.name),
      ),
    )
  if (second !== undefined)
    throw new ConfigError(
      `several links keep a capture ring, name one: ${wanted.map(({ link }) => link.name).join(', ')}`,
    )
  const { name } = found.link
  const opened = await openCapture(captureSocket(found.path), { link: name, once: args.once })
  await saveCapture(opened, file, args.once ? `the ring of ${name}` : `${name}, its ring first`, process)
}

function refusal(link: string | undefined, running: readonly string[]): string {
  if (running.length === 0) return 'no hconnect runs here that could be captured'
  if (link !== undefined && !running.includes(link))
    return `no link ${link} runs here; there are: ${running.join(', ')}`
  return `${link ?? 'no link'} keeps ${link === undefined ? 'a' : 'no'} capture ring: set one with --capture-ring 64M, or capture-ring: 64M in the configuration file`
}
