/** What a host is to be, from what is planned for it: its network, which is started here, and what it does at its start. */
import type { PlannedDevice } from '#hub/base/topology-plan.ts'
import type { Logger } from '#hub/base/log.ts'
import { routerNotice } from '#hub/device/router-notice.ts'
import { bootScript } from '#hub/device/host/boot-script.ts'
import { HostNetwork } from '#hub/device/host/network.ts'

/** What else goes wrong is in the log. */
const MOST_NOTICES = 20

export interface HostSetup {
  readonly network: HostNetwork
  /** For sh(1). */
  readonly boot: string
}

/** Resolves when all of the network is there that needs no server; never rejects. */
export async function setUpHost(device: PlannedDevice, log: Logger): Promise<HostSetup> {
  const notices: string[] = []
  const warn = (text: string): void => {
    log.warn(text)
    if (notices.length < MOST_NOTICES) notices.push(text)
  }
  const { host: configuration } = device
  if (device.kind !== 'host') warn(routerNotice(device))
  const network = new HostNetwork({ device, configuration, warn })
  await network.start()
  return { network, boot: bootScript({ hostname: device.hostname, configuration, notices }) }
}
