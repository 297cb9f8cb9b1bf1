/** What a session is to be, from the command line and the configuration file. */
import type { ConfigFile } from '#agent/config-file.ts'
import { settleHub } from '#agent/hub.ts'
import { settleBridges, settleDriver, settleNic, type Arguments } from '#agent/options.ts'
import type { SessionOptions } from '#agent/session.ts'
import type { Ask } from '#agent/login/terminal.ts'

export type SessionSettings = Omit<SessionOptions, 'events' | 'isPatient'>

/**
 * @param ask  who may be asked, at each dial that may ask
 * @throws ExitError, ConfigError
 */
export async function settleSession(
  args: Arguments,
  config: ConfigFile,
  env: NodeJS.ProcessEnv,
  log: (text: string) => void,
  ask: () => Ask | undefined,
): Promise<SessionSettings> {
  return {
    bridges: settleBridges(args, config),
    nic: settleNic(args, env, config),
    driver: settleDriver(args, config),
    hub: await settleHub(args, config, env, log, ask),
    mtu: args.mtu ?? config.mtu,
    allowUplink: args.allowUplink || config['allow-uplink'] === true,
    superFrames: args.superFrames && config['super-frames'] !== false,
    latencyControl: args.latencyControl && config['latency-control'] !== false,
    connections: args.connections ?? config.connections ?? 'auto',
    captureRing: args.captureRing ?? config['capture-ring'],
  }
}
