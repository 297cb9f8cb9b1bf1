import { expect, it } from 'vitest'
import type { PlannedDevice, TopologyPlan } from '#hub/base/topology-plan.ts'
import { formatDiagnostic } from '#hub/topology/language/source.ts'
import { planOf } from '#hub/topology/plan.ts'
import { readTopology } from '#hub/topology/read.ts'

const VM = (name: string, more: string): string => `vm "${name}" { basedisk "centos"; ${more} };\n`
const read = (vms: string, files: Record<string, string> = {}) =>
  readTopology(
    { name: 'topology.vmm', text: `config "c" {\n${vms}};` },
    { paths: Object.keys(files), read: (path) => files[path] ?? '' },
  )

function plan(vms: string, files: Record<string, string> = {}): TopologyPlan {
  const { topology, diagnostics } = read(vms, files)
  if (!topology) throw new Error(diagnostics.list.map(formatDiagnostic).join('\n'))
  return planOf(topology, {
    name: 'two',
    owner: '',
    identity: 'hub',
    read: (path) => files[path] ?? '',
    consolePorts: [5001, 5002, 5003],
    managementNetwork: '10.255.3.0/24',
  })
}

const dhcpOf = ({ host }: PlannedDevice): string[] =>
  Object.entries(host.interfaces).flatMap(([name, { dhcp }]) => (dhcp ? [name] : []))

it('devices on the management network have addresses in their order, and ask for them', () => {
  const { devices, managementNetwork } = plan(
    VM('a', 'interface "em0" { bridge "external"; }; interface "em1" { bridge "external"; };') +
      VM('b', 'interface "em0" { bridge "lan"; };') +
      VM('c', 'interface "em0" { bridge "lan"; }; interface "em1" { bridge "external"; };'),
  )
  expect(managementNetwork).toBe('10.255.3.0/24')
  expect(devices.map(({ managementAddress }) => managementAddress)).toEqual([
    '10.255.3.11',
    null,
    '10.255.3.12',
  ])
  expect(devices.map(dhcpOf)).toEqual([['em0'], [], ['em1']])
})

it('without it there is no network', () => {
  expect(plan(VM('b', 'interface "em0" { bridge "lan"; };')).managementNetwork).toBeNull()
})

it('what the file says of an interface holds, and of others the defaults', () => {
  const vm = VM(
    'a',
    'install "a.conf" "/root/host.conf"; interface "em0" { bridge "external"; }; interface "em1" { bridge "lan"; };',
  )
  const said = plan(vm, { 'a.conf': 'interfaces: { em0: { mtu: 1400 } }\nservices: [ssh]\n' }).devices[0]
  expect(said?.host).toEqual({
    interfaces: {
      em0: { addresses: [], gateways: [], dhcp: false, slaac: false, mtu: 1400 },
      em1: { addresses: [], gateways: [], dhcp: false, slaac: false },
    },
    routes: [],
    nameservers: [],
    services: ['ssh'],
    run: '',
  })
})

it("a router's configuration is kept as it is, and not read", () => {
  const vm =
    'vm "r" { basedisk "vjx.img"; install "r.conf" "/root/junos.conf"; interface "em0" { bridge "external"; }; };'
  const [device] = plan(vm, { 'r.conf': 'system { ' }).devices
  expect(device).toMatchObject({ kind: 'vjx', configuration: 'system { ', problem: '' })
  expect(device && dhcpOf(device)).toEqual(['em0'])
})

it('interfaces have names that Linux takes', () => {
  const vm =
    'vm "r" { basedisk "vmx.img"; interface "ge-0/0/1" { bridge "lan"; }; interface "xe-0/1/2:3" { bridge "external"; }; };'
  const [device] = plan(vm).devices
  expect(device?.interfaces.map(({ name }) => name)).toEqual(['ge-0-0-1', 'xe-0-1-2-3'])
  expect(device && dhcpOf(device)).toEqual(['xe-0-1-2-3'])
})

it('a device whose configuration is not there does not start without it', () => {
  const vm = VM(
    'a',
    'install "ENV(HOME)/active/a.conf" "/root/host.conf"; interface "em0" { bridge "lan"; };',
  )
  expect(plan(vm).devices[0]).toMatchObject({
    configuration: null,
    problem: 'its configuration ENV(HOME)/active/a.conf is not in the file set',
  })
})

it("a host's configuration is checked with the topology", () => {
  const vm = VM('a', 'install "a.conf" "/root/host.conf"; interface "em0" { bridge "lan"; };')
  const told = (text: string): string[] => read(vm, { 'a.conf': text }).diagnostics.list.map(formatDiagnostic)
  expect(told('run: echo')).toEqual([])
  expect(told('\ninterfaces: { em1: {} }')).toEqual([
    'a.conf:2:15: error: a: interfaces.em1: the device has no such interface; it has em0\n' +
      '    interfaces: { em1: {} }\n                  ^',
  ])
  expect(told(`run: "${'x'.repeat(70_000)}"`)[0]).toContain('the configuration of a host has at most 64 KiB')
})

const managed = (count: number): string =>
  Array.from({ length: count }, (_, i) => VM(`h${i}`, 'interface "em0" { bridge "external"; };')).join('')

it('240 devices are on the management network, and no more', () => {
  const [last] = plan(managed(240)).devices.slice(-1)
  expect(last?.managementAddress).toBe('10.255.3.250')
  expect(read(managed(241)).diagnostics.list.map(({ message, place }) => [message, place.line])).toEqual([
    ['more than 240 devices on the bridge "external": the management network has no more addresses', 242],
  ])
})
