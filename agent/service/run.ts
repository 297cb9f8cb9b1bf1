/** `hconnect run`: bridges every link of the configuration file until it is told to end, with nobody to ask. */
import { readConfig, type ConfigFile, type LinkSettings } from '#agent/config-file.ts'
import { EndSignals } from '#agent/end-signals.ts'
import { EXIT_ENDED, EXIT_OTHER } from '#agent/exit-codes.ts'
import type { Arguments } from '#agent/options.ts'
import { Session } from '#agent/session.ts'
import { settleSession } from '#agent/session-settings.ts'
import { LinkSet } from '#agent/service/link-set.ts'
import { managedStatus } from '#agent/service/link-status.ts'
import { ManagedLink } from '#agent/service/managed-link.ts'
import { watchNic } from '#agent/service/nic-watch.ts'
import { type Log, processSink, serviceLog } from '#agent/service/service-log.ts'
import { serveStatus } from '#agent/service/status-server.ts'
import { summary } from '#agent/service/summary.ts'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { tuneHeapForStreaming } from '#net/base/heap.ts'
import { inlineWayOfFrames } from '#net/base/inlining.ts'
import { ServiceManager } from '#net/base/service-manager.ts'

/** From SIGTERM on. */
const END_MS = 4500
const STATUS_PAUSE_MS = 200

/** @throws ExitError, ConfigError when the configuration is not good */
export async function run(
  args: Arguments,
  config: ConfigFile,
  env: NodeJS.ProcessEnv,
  version: string,
): Promise<void> {
  const wanted = linksOf(config)
  tuneHeapForStreaming()
  inlineWayOfFrames()
  const log = serviceLog(processSink(args.json, env))
  endOnFault(log)
  const signals = new EndSignals()
  const manager = new ServiceManager(env)
  const own = withoutOptions(env)
  const links = new LinkSet(
    (settings) =>
      new ManagedLink({
        settings,
        open: (link, events) => openSession(args, link, own, events),
        watchNic,
        log,
        random: Math.random,
        onChange: () => tellSoon(),
      }),
  )
  const tell = (): void => manager.status(summary(links.links.map(managedStatus)))
  const tellSoon = onceInAWhile(tell, STATUS_PAUSE_MS)
  const server = await serveStatus(
    () => ({ pid: process.pid, version, command: 'run', links: links.links.map(managedStatus) }),
    (name) => links.links.find(({ settings }) => settings.name === name)?.session?.ring,
    env,
    (text) => log('warning', text),
  )
  const watchdog = startWatchdog(manager, links, log)
  const onHangup = (): void => void reload(args, env, links, manager, log)
  process.on('SIGHUP', onHangup)
  const asked = new Promise<void>((resolve) => {
    if (signals.hasCome) resolve()
    else signals.onFirst(resolve)
  })
  log('info', `hconnect ${version}: ${wanted.length} link${wanted.length === 1 ? '' : 's'}`, {
    event: 'start',
    version,
  })
  await Promise.race([links.follow(wanted), asked])
  tell()
  manager.ready()
  await asked
  process.off('SIGHUP', onHangup)
  manager.stopping()
  log('info', 'ending', { event: 'ending' })
  // What hangs is left; interfaces are restored all the same as the process ends.
  setTimeout(() => process.exit(EXIT_ENDED), END_MS).unref()
  await links.stop()
  clearInterval(watchdog)
  await server.close()
  log('info', 'ended', { event: 'end' })
}

/** @throws ConfigError when there is nothing to do */
export function linksOf(config: ConfigFile): readonly LinkSettings[] {
  const { links, ...settings } = config
  if (links !== undefined && links.length > 0) return links
  const { nic } = settings
  if (links === undefined && nic !== undefined) return [{ ...settings, name: nic, nic }]
  throw new ConfigError(
    'the configuration file names no links: write them under `links:`, each with nic, hub, user and bridge',
  )
}

/** What would come from the environment of whoever started us is for the file to say. */
export const withoutOptions = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HCONNECT_')))

async function openSession(
  args: Arguments,
  link: LinkSettings,
  env: NodeJS.ProcessEnv,
  events: Parameters<typeof Session.open>[0]['events'],
): Promise<Session> {
  const settings = await settleSession(
    args,
    link,
    env,
    (text) => events.onNotice(text),
    () => undefined,
  )
  return await Session.open({ ...settings, isPatient: true, events })
}

/** A bad file changes nothing. */
async function reload(
  args: Arguments,
  env: NodeJS.ProcessEnv,
  links: LinkSet,
  manager: ServiceManager,
  log: Log,
): Promise<void> {
  manager.reloading()
  try {
    const changes = await links.follow(linksOf(readConfig(args.config, env)))
    const words = Object.entries(changes).flatMap(([what, names]: [string, readonly string[]]) =>
      names.length === 0 ? [] : [`${what} ${names.join(', ')}`],
    )
    log('notice', `configuration read again: ${words.join('; ') || 'nothing has changed'}`, {
      event: 'reloaded',
      ...changes,
    })
  } catch (error) {
    for (const line of reasonOf(error).split('\n'))
      log('error', `the configuration stays as it was: ${line}`, { event: 'reload-failed', reason: line })
  }
  manager.ready()
}

function startWatchdog(manager: ServiceManager, links: LinkSet, log: Log): NodeJS.Timeout | undefined {
  if (manager.watchdogMs === undefined) return undefined
  const everyMs = manager.watchdogMs / 2
  return setInterval(() => {
    const lifeless = links.lifeless(performance.now(), everyMs)
    if (lifeless.length === 0) manager.alive()
    else log('error', `${lifeless.join(', ')}: does nothing any more; the watchdog is not told otherwise`)
  }, everyMs)
}

/** Listeners of `exit` put interfaces back. */
function endOnFault(log: Log): void {
  process.on('uncaughtException', (error) => {
    log('error', `a fault of the program: ${error.stack ?? reasonOf(error)}`, { event: 'fault' })
    process.exit(EXIT_OTHER)
  })
}

function onceInAWhile(action: () => void, pauseMs: number): () => void {
  let timer: NodeJS.Timeout | undefined
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined
      action()
    }, pauseMs).unref()
  }
}
