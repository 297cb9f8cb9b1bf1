/** A topology that makes sense: devices, the bridges between them, where their configurations are. */
import type { Place } from '#hub/topology/language/source.ts'

/** `host` is a Linux host; the others are routers. */
export type DeviceKind = 'host' | 'vjx' | 'vptx' | 'vmx' | 'vjunos'

export interface DeviceInterface {
  /** `em0`, `ge-0/0/1` */
  readonly name: string
  /** Undefined: not connected. */
  readonly bridge: string | undefined
  readonly place: Place
}

export interface Device {
  /** Its name in the file, under which its configuration is saved. */
  readonly name: string
  readonly hostname: string
  readonly kind: DeviceKind
  /** As the file has it; '' when it names none. */
  readonly image: string
  /** Megabytes; undefined: the kind's own. */
  readonly memory: number | undefined
  readonly cpus: number | undefined
  readonly interfaces: readonly DeviceInterface[]
  /** The configuration to start with; undefined: factory default. */
  readonly configuration: Configuration | undefined
  readonly place: Place
}

export interface Configuration {
  /** Path in the file set; undefined when the file names a place outside it. */
  readonly path: string | undefined
  /** As the file has it. */
  readonly source: string
  readonly target: string
}

export interface Topology {
  readonly name: string
  readonly devices: readonly Device[]
  /** Those with an interface, in the order of their first one. */
  readonly bridges: readonly Bridge[]
  /** Names of bridges that are declared, and have none. */
  readonly declared: readonly string[]
}

export interface Bridge {
  readonly name: string
  readonly ports: readonly { readonly device: string; readonly interface: string }[]
}
