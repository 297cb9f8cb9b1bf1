/** All checks in their order: the program, the machine, the interface, the way to the hub, the hub. */
import { addressesCheck } from '#agent/doctor/addresses.ts'
import { bridgesCheck } from '#agent/doctor/bridges.ts'
import { buffersCheck } from '#agent/doctor/buffers.ts'
import { capCheck } from '#agent/doctor/cap.ts'
import { carrierCheck } from '#agent/doctor/carrier.ts'
import { clockCheck } from '#agent/doctor/clock.ts'
import type { Check } from '#agent/doctor/finding.ts'
import { hostKeyCheck } from '#agent/doctor/host-key.ts'
import { hubCheck } from '#agent/doctor/hub.ts'
import { hypervisorCheck } from '#agent/doctor/hypervisor.ts'
import { keysCheck } from '#agent/doctor/keys.ts'
import { koffiCheck } from '#agent/doctor/koffi.ts'
import { loginCheck } from '#agent/doctor/login.ts'
import { managerCheck } from '#agent/doctor/manager.ts'
import { masterCheck } from '#agent/doctor/master.ts'
import { measureCheck } from '#agent/doctor/measure.ts'
import { mtuCheck } from '#agent/doctor/mtu.ts'
import { lookupCheck } from '#agent/doctor/name-lookup.ts'
import { nicCheck } from '#agent/doctor/nic.ts'
import { nodeCheck } from '#agent/doctor/node.ts'
import { offloadsCheck } from '#agent/doctor/offloads.ts'
import { othersCheck } from '#agent/doctor/others.ts'
import { passageCheck } from '#agent/doctor/passage.ts'
import { pathMtuCheck } from '#agent/doctor/path-mtu.ts'
import { privilegeCheck } from '#agent/doctor/privilege.ts'
import { promiscuousCheck } from '#agent/doctor/promiscuous.ts'
import { reachCheck } from '#agent/doctor/reach.ts'
import { routeCheck } from '#agent/doctor/route.ts'
import { serviceCheck } from '#agent/doctor/service.ts'
import { sshCryptoCheck } from '#agent/doctor/ssh-crypto.ts'
import { sshCheck } from '#agent/doctor/ssh.ts'
import { wayCheck } from '#agent/doctor/way.ts'
import { wirelessCheck } from '#agent/doctor/wireless.ts'

export interface Group {
  readonly title: string
  readonly checks: readonly Check[]
}

export const GROUPS: readonly Group[] = [
  {
    title: 'Program',
    checks: [nodeCheck, koffiCheck, sshCryptoCheck, capCheck, privilegeCheck, serviceCheck],
  },
  {
    title: 'Interface',
    checks: [
      nicCheck,
      carrierCheck,
      mtuCheck,
      offloadsCheck,
      addressesCheck,
      masterCheck,
      managerCheck,
      wirelessCheck,
      othersCheck,
      promiscuousCheck,
      hypervisorCheck,
    ],
  },
  {
    title: 'Hub',
    checks: [
      hubCheck,
      keysCheck,
      wayCheck,
      lookupCheck,
      routeCheck,
      reachCheck,
      passageCheck,
      hostKeyCheck,
      sshCheck,
      loginCheck,
      bridgesCheck,
      clockCheck,
      measureCheck,
      pathMtuCheck,
      buffersCheck,
    ],
  },
]
