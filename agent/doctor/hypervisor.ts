/** Whether this is a virtual machine, and which setting of the hypervisor lets foreign addresses through. */
import { readFileSync } from 'node:fs'

import { containerOf } from '#agent/doctor/container.ts'
import { type Check, type Finding, ok, unknown } from '#agent/doctor/finding.ts'

interface HypervisorFacts {
  /** DMI, as the firmware gives it; empty where there is none. */
  readonly vendor: string
  readonly product: string
  /** The processor says that it is a virtual one. */
  readonly isVirtual: boolean
  readonly container: string | undefined
}

interface Hypervisor {
  readonly name: string
  readonly pattern: RegExp
  /** In the product's own words. */
  readonly remedy: string
}

/** By vendor and product of DMI; the first that matches. */
const HYPERVISORS: readonly Hypervisor[] = [
  {
    name: 'VMware',
    pattern: /vmware/i,
    remedy:
      'port group, Security: Promiscuous mode, Forged transmits and MAC address changes to Accept; ' +
      'Workstation on Linux: write access to /dev/vmnet*',
  },
  {
    name: 'Hyper-V',
    pattern: /microsoft corporation .*virtual machine/i,
    remedy:
      'Set-VMNetworkAdapter -VMName VM -MacAddressSpoofing On; for VLAN tags also Set-VMNetworkAdapterVlan -Trunk',
  },
  {
    name: 'VirtualBox',
    pattern: /virtualbox|innotek/i,
    remedy:
      'Adapter, Advanced, Promiscuous Mode: Allow All; or VBoxManage modifyvm VM --nicpromisc2 allow-all',
  },
  { name: 'Amazon EC2', pattern: /amazon ec2/i, remedy: 'a cloud carries no foreign addresses' },
  { name: 'Google Compute Engine', pattern: /google/i, remedy: 'a cloud carries no foreign addresses' },
  {
    name: 'OpenStack',
    pattern: /openstack/i,
    remedy: 'openstack port set --disable-port-security --no-security-group PORT',
  },
  {
    name: 'Xen',
    pattern: /\bxen\b|xenserver/i,
    remedy:
      'the network is to be in promiscuous mode: xe vif-param-set uuid=VIF other-config:promiscuous=true',
  },
  { name: 'Parallels', pattern: /parallels/i, remedy: 'use a bridged network' },
  {
    name: 'KVM',
    pattern: /qemu|kvm|red hat|proxmox|ovirt|\bbochs\b/i,
    remedy:
      'on a Linux bridge nothing; libvirt macvtap: <interface trustGuestRxFilters="yes">; Proxmox: the ' +
      'firewall option macfilter=0 of the interface',
  },
]

export function judgeHypervisor(host: HypervisorFacts, seesForeign: boolean): Finding {
  const { vendor, product, isVirtual, container } = host
  const known = HYPERVISORS.find(({ pattern }) => pattern.test(`${vendor} ${product}`))
  const name = known?.name ?? (isVirtual ? 'a virtual machine' : undefined)
  const inside = container === undefined ? '' : `, in a container (${container})`
  const facts = { hypervisor: name ?? null, vendor, product, container: container ?? null }
  if (name === undefined) return ok(`none that shows${inside}`, facts)
  if (seesForeign) return ok(`${name}${inside}: frames for other addresses come in`, facts)
  return unknown(
    `${name}${inside}: whether it lets foreign addresses through cannot be told from inside`,
    known?.remedy ?? 'allow promiscuous mode and foreign source addresses for the virtual interface',
    facts,
  )
}

function readHost(env: NodeJS.ProcessEnv): HypervisorFacts {
  return {
    vendor: textOf('/sys/class/dmi/id/sys_vendor'),
    product: textOf('/sys/class/dmi/id/product_name'),
    isVirtual: /^flags\s*:.*\bhypervisor\b/m.test(textOf('/proc/cpuinfo')),
    container: containerOf(env),
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(0, 65_536).trim()
  } catch {
    return ''
  }
}

export const hypervisorCheck: Check = {
  name: 'hypervisor',
  title: 'hypervisor',
  needs: [],
  run: ({ env, seesForeign }) => judgeHypervisor(readHost(env), seesForeign),
}
