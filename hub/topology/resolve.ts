/** From blocks to a topology: what belongs together is joined, what makes no sense is told. */
import type { Diagnostics, Place } from '#hub/topology/language/source.ts'
import type { ConfigBlock, InterfaceBlock, Text, VmBlock } from '#hub/topology/language/syntax.ts'
import {
  type Bridge,
  BRIDGE_NAME,
  type Configuration,
  type Device,
  type DeviceInterface,
  type DeviceKind,
  type Topology,
} from '#hub/topology/topology.ts'
import { interfaceNameFault, linuxName } from '#hub/topology/interface-name.ts'
import { MOST_MANAGED } from '#hub/base/management-network.ts'
import { DEAD, EXTERNAL, MOST_BRIDGES, TOPOLOGY_NAME } from '#hub/base/topology-plan.ts'
import { printable } from '#net/base/printable.ts'

const MAX_DEVICES = 512
/** Of a topology, which may be anything that a terminal does not obey. */
const LONGEST_NAME = 255
const MAX_INTERFACES = 64
/** Where an `install` makes a file the device's configuration. */
const CONFIGURATION_TARGETS = [
  '/root/junos.conf',
  '/root/olive.conf',
  '/root/junos.base.conf',
  '/root/host.conf',
]
/** The directory that a started set is unpacked into. */
const ACTIVE = /^ENV\(HOME\)\/active\//
/** In this order: what the image's name says. */
const KINDS: readonly (readonly [pattern: RegExp, kind: DeviceKind])[] = [
  [/vjx|vsrx|olive/i, 'vjx'],
  [/vptx/i, 'vptx'],
  [/vjunos/i, 'vjunos'],
  [/vmx|junos/i, 'vmx'],
  [/centos|debian|ubuntu|fedora|linux|host/i, 'host'],
]

export interface ResolveOptions {
  /** Whether the file set has a file; undefined when there is no set, only the one file. */
  readonly has: ((path: string) => boolean) | undefined
  readonly end: Place
  readonly diagnostics: Diagnostics
}

/** @returns undefined when there is nothing to make a topology of, which is told */
export function resolve(configs: readonly ConfigBlock[], options: ResolveOptions): Topology | undefined {
  const { diagnostics, end } = options
  const [config, second] = configs
  if (config === undefined) {
    diagnostics.error(end, 'there is no config: a topology is `config "name" { ... };`')
    return undefined
  }
  if (second) diagnostics.error(second.name.place, 'a second config: a file has one')
  const devices = joinChassis(config.vms, diagnostics).map((vm) => device(vm, options))
  unique(
    config.vms.map(({ name }) => name),
    'vm',
    diagnostics,
  )
  if (devices.length > MAX_DEVICES) diagnostics.error(end, `more than ${MAX_DEVICES} devices`)
  checkBridges(config, diagnostics)
  checkManaged(devices, diagnostics)
  const bridges = bridgesOf(devices)
  const used = new Set([EXTERNAL, DEAD, ...bridges.map(({ name }) => name)])
  const declared = [...new Set(config.bridges.map(({ text }) => text))].filter((name) => !used.has(name))
  if (declared.length > MOST_BRIDGES) diagnostics.error(end, `more than ${MOST_BRIDGES} bridges are declared`)
  return {
    name: printable(config.name.text).slice(0, LONGEST_NAME),
    devices,
    bridges,
    declared,
    cables: [],
  }
}

function unique(names: readonly Text[], what: string, diagnostics: Diagnostics): void {
  const seen = new Set<string>()
  for (const { text, place } of names) {
    if (seen.has(text)) diagnostics.error(place, `a second ${what} "${text}"`)
    seen.add(text)
  }
}

const variable = (vm: VmBlock, key: string): string | undefined =>
  vm.variables.findLast((one) => one.key.text === key)?.value.text

/** A line card's ports are its router's; a second routing engine is not simulated. */
function joinChassis(vms: readonly VmBlock[], diagnostics: Diagnostics): VmBlock[] {
  const out: VmBlock[] = []
  let router: number | undefined
  for (const vm of vms) {
    const role = variable(vm, 'chassis_role')
    if (role === 'fpc') {
      const engine = router === undefined ? undefined : out[router]
      if (router === undefined || engine === undefined)
        diagnostics.error(vm.name.place, `the line card "${vm.name.text}" has no routing engine before it`)
      else out[router] = { ...engine, interfaces: [...engine.interfaces, ...vm.interfaces] }
    } else if (role === 're' && (variable(vm, 'chassis_slot') ?? '0') !== '0')
      diagnostics.warn(vm.name.place, `"${vm.name.text}" is a second routing engine: it is not simulated`)
    else {
      if (role === 're') router = out.length
      out.push(vm)
    }
  }
  return out
}

function device(vm: VmBlock, options: ResolveOptions): Device {
  const { diagnostics } = options
  const { name, hostname, disk, memory, cpus, interfaces } = vm
  if (!TOPOLOGY_NAME.test(name.text))
    diagnostics.error(
      name.place,
      `"${name.text.slice(0, 80)}" cannot be a device's name: letters, digits, \`.\`, \`_\` and \`-\`, up to 63`,
    )
  unique(
    interfaces.map((one) => ({ ...one.name, text: linuxName(one.name.text) })),
    `interface in vm "${name.text}":`,
    diagnostics,
  )
  if (interfaces.length > MAX_INTERFACES)
    diagnostics.error(name.place, `vm "${name.text}" has more than ${MAX_INTERFACES} interfaces`)
  return {
    name: name.text,
    hostname: hostname?.text ?? name.text,
    kind: kindOf(vm, diagnostics),
    image: disk?.file.text ?? '',
    memory,
    cpus,
    interfaces: interfaces.map((one) => deviceInterface(one, diagnostics)),
    configuration: configurationOf(vm, options),
    place: name.place,
  }
}

function kindOf(vm: VmBlock, diagnostics: Diagnostics): DeviceKind {
  const { name, disk } = vm
  if (variable(vm, 'chassis_role') === 're') return 'vmx'
  if (disk === undefined) {
    diagnostics.warn(name.place, `vm "${name.text}" names no image: it starts as a host`)
    return 'host'
  }
  const file = disk.file.text.slice(disk.file.text.lastIndexOf('/') + 1)
  const found = KINDS.find(([pattern]) => pattern.test(file))
  if (found === undefined)
    diagnostics.warn(
      disk.file.place,
      `the image "${file.slice(0, 80)}" is not known: "${name.text}" starts as a host`,
    )
  return found?.[1] ?? 'host'
}

function deviceInterface(block: InterfaceBlock, diagnostics: Diagnostics): DeviceInterface {
  const { name, bridge } = block
  const fault = interfaceNameFault(name.text)
  if (fault !== undefined) diagnostics.error(name.place, fault)
  if (bridge === undefined)
    diagnostics.warn(name.place, `interface "${name.text}" names no bridge: it is not connected`)
  else checkBridgeName(bridge, diagnostics)
  return {
    name: name.text,
    bridge: bridge === undefined || bridge.text === DEAD ? undefined : bridge.text,
    settings: {},
    place: name.place,
  }
}

function checkBridgeName({ text, place }: Text, diagnostics: Diagnostics): void {
  if (BRIDGE_NAME.test(text)) return
  diagnostics.error(place, `"${text.slice(0, 80)}" cannot be a bridge's name: letters, digits and _.@:+-`)
}

/** A bridge is made on its first use; but where others are declared, one that is not may be a slip of the pen. */
function checkBridges({ bridges, vms }: ConfigBlock, diagnostics: Diagnostics): void {
  for (const bridge of bridges) checkBridgeName(bridge, diagnostics)
  if (bridges.length === 0) return
  const declared = new Set([EXTERNAL, DEAD, ...bridges.map(({ text }) => text)])
  for (const { bridge } of vms.flatMap(({ interfaces }) => interfaces)) {
    if (bridge === undefined || declared.has(bridge.text)) continue
    declared.add(bridge.text)
    diagnostics.warn(bridge.place, `the bridge "${bridge.text}" is not declared; it is made all the same`)
  }
}

function checkManaged(devices: readonly Device[], diagnostics: Diagnostics): void {
  const managed = devices.flatMap(
    ({ interfaces }) => interfaces.find(({ bridge }) => bridge === EXTERNAL) ?? [],
  )
  const beyond = managed[MOST_MANAGED]
  if (beyond === undefined) return
  diagnostics.error(
    beyond.place,
    `more than ${MOST_MANAGED} devices on the bridge "${EXTERNAL}": the management network has no more addresses`,
  )
}

function configurationOf(vm: VmBlock, { has, diagnostics }: ResolveOptions): Configuration | undefined {
  const install = vm.installs.findLast(({ target }) => CONFIGURATION_TARGETS.includes(target.text))
  if (install === undefined) return undefined
  const source = install.source.text
  const path = ACTIVE.test(source) ? source.replace(ACTIVE, '') : source.startsWith('/') ? undefined : source
  const isInside =
    path !== undefined && !path.split('/').some((part) => part === '' || part === '.' || part === '..')
  const found = isInside && (has === undefined || has(path))
  if (!found)
    diagnostics.warn(
      install.source.place,
      `"${source.slice(0, 120)}" is not in the file set: "${vm.name.text}" will not start`,
    )
  return { path: found ? path : undefined, source, target: install.target.text }
}

function bridgesOf(devices: readonly Device[]): Bridge[] {
  const ports = new Map<string, { device: string; interface: string }[]>()
  for (const { name, interfaces } of devices)
    for (const { name: port, bridge } of interfaces) {
      if (bridge === undefined) continue
      const known = ports.get(bridge)
      if (known) known.push({ device: name, interface: port })
      else ports.set(bridge, [{ device: name, interface: port }])
    }
  return [...ports].map(([name, list]) => ({ name, ports: list, settings: {} }))
}
