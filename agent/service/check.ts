/** `hconnect run --check`: what the configuration file would do. Nothing is opened or dialled. */
import { vlanText } from '#agent/lan/bridge-choice.ts'
import type { ConfigFile, LinkSettings } from '#agent/config-file.ts'
import { formatHubAddress } from '#agent/hub-address.ts'
import type { Arguments } from '#agent/options.ts'
import type { Output } from '#agent/output.ts'
import { settleSession } from '#agent/session-settings.ts'
import { linksOf, withoutOptions } from '#agent/service/run.ts'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { formatTable } from '#net/base/table.ts'

const HEADINGS = ['LINK', 'NIC', 'BRIDGE', 'HUB', 'USER', 'LOGIN', 'OPTIONS'] as const

/** @throws ConfigError with every link that cannot be */
export async function checkConfig(
  args: Arguments,
  config: ConfigFile,
  env: NodeJS.ProcessEnv,
  output: Output,
): Promise<void> {
  const faults: string[] = []
  const rows: string[][] = []
  for (const link of linksOf(config)) {
    try {
      rows.push(await rowOf(args, link, withoutOptions(env)))
    } catch (error) {
      faults.push(`${link.name}: ${reasonOf(error)}`)
    }
  }
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  output.text(`${formatTable(HEADINGS, rows)}\n`)
  const objects = rows.map((row) =>
    Object.fromEntries(row.map((cell, i) => [HEADINGS[i]?.toLowerCase(), cell])),
  )
  output.event('configuration', { links: objects })
}

async function rowOf(args: Arguments, link: LinkSettings, env: NodeJS.ProcessEnv): Promise<string[]> {
  const { nic, bridges, hub, driver, mtu, captureRing, ...flags } = await settleSession(
    args,
    link,
    env,
    () => {},
    () => undefined,
  )
  const { host, port, user, identity } = hub.target
  const options = [
    driver === 'pcap' ? 'pcap' : '',
    mtu === undefined ? '' : `mtu ${mtu}`,
    flags.allowUplink ? 'allow-uplink' : '',
    flags.superFrames ? '' : 'no super-frames',
    flags.latencyControl ? '' : 'no latency control',
    flags.connections === 'auto' ? '' : `connections ${flags.connections}`,
    captureRing === undefined ? '' : `capture ring ${captureRing / (1 << 20)} MiB`,
  ].filter((option) => option !== '')
  const login = [identity ?? 'usual keys', link['password-file'] === undefined ? '' : 'password']
  return [
    link.name,
    nic,
    bridges
      .map(({ bridge, vlan }) => (vlan === undefined ? bridge : `${vlanText(vlan)}: ${bridge}`))
      .join(', '),
    formatHubAddress(host, port),
    user,
    login.filter((word) => word !== '').join(', '),
    options.join(', ') || '-',
  ]
}
