/** What a host is to be, from what is planned for it: its network, which is started here, and what it does at its start. */
import type { PlannedDevice } from '#hub/base/topology-plan.ts'
import type { Logger } from '#hub/base/log.ts'
import { routerNotice } from '#hub/device/router-notice.ts'
import { bootScript } from '#hub/device/host/boot-script.ts'
import {
  EMPTY_CONFIGURATION,
  type HostConfiguration,
  readHostConfiguration,
} from '#hub/device/host/configuration.ts'
import { HostNetwork } from '#hub/device/host/network.ts'

export interface HostSetup {
  readonly network: HostNetwork
  /** For sh(1). */
  readonly boot: string
}

/** Resolves when all of the network is there that needs no server; never rejects. */
export async function setUpHost(device: PlannedDevice, hasUsers: boolean, log: Logger): Promise<HostSetup> {
  const notices: string[] = []
  const warn = (text: string): void => {
    log.warn(text)
    notices.push(text)
  }
  const configuration = configurationOf(device, warn)
  const network = new HostNetwork({ device, configuration, warn })
  await network.start()
  return { network, boot: bootScript({ hostname: device.hostname, configuration, hasUsers, notices }) }
}

function configurationOf(device: PlannedDevice, warn: (text: string) => void): HostConfiguration {
  const { kind, configuration, interfaces } = device
  if (kind !== 'host') {
    warn(routerNotice(device))
    return EMPTY_CONFIGURATION
  }
  const result = readHostConfiguration(
    configuration ?? '',
    interfaces.map(({ name }) => name),
  )
  if ('value' in result) return result.value
  // The hub has looked at it before: this is of an older one.
  for (const { line, column, reason } of result.faults)
    warn(`its configuration, ${line}:${column}: ${reason}`)
  return EMPTY_CONFIGURATION
}
