/** Which offloads of an interface a bridge cannot live with. */
import type { Feature } from '#net/port/nic/ethtool.ts'

/** Merge received segments in ways that a virtio header cannot tell: large receive offload. */
const MERGING = ['rx-lro', 'rx-gro-list']
/** Before Linux 6.2 packet sockets answer EINVAL to UDP super-frames. */
const MERGING_UDP = ['rx-udp-gro-forwarding', 'tx-udp-segmentation']
/**
 * Most drivers pass every VLAN when promiscuous, whatever the filter; sfc and some virtual functions do not. Where it
 * cannot be switched (virtio_net, vmxnet3), promiscuous mode does.
 */
const VLAN_FILTERS = ['rx-vlan-filter', 'rx-vlan-stag-filter']

export interface OffloadChoice {
  /** On, and to be switched off. */
  readonly off: readonly string[]
  /** On, in the way, and fixed. */
  readonly stuck: readonly string[]
}

/**
 * @param kernel  as `uname -r` gives it: `6.1.0-18-amd64`
 * @param more  offloads to switch off as well
 */
export function chooseOffloads(
  features: readonly Feature[],
  kernel: string,
  more: readonly string[] = [],
): OffloadChoice {
  const merging = expressesUdp(kernel) ? MERGING : [...MERGING, ...MERGING_UDP]
  const active = features.filter(({ active: isOn }) => isOn)
  return {
    off: namesOf(
      active.filter((f) => f.changeable && [...merging, ...VLAN_FILTERS, ...more].includes(f.name)),
    ),
    stuck: namesOf(active.filter((f) => !f.changeable && merging.includes(f.name))),
  }
}

const namesOf = (features: readonly Feature[]): string[] => features.map(({ name }) => name)

function expressesUdp(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number)
  return major > 6 || (major === 6 && minor >= 2)
}
