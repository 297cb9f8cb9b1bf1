/** A topology that makes sense: devices, the bridges between them, where their configurations are. */
import type { Place } from '#hub/topology/language/source.ts'

/** `host` is a Linux host; the others are routers. */
export type DeviceKind = 'host' | 'vjx' | 'vptx' | 'vmx' | 'vjunos'

/** As commands take them: `mode` is `access,vlan=10`. */
export type Settings = Readonly<Record<string, string>>

export interface DeviceInterface {
  /** `em0`, `ge-0/0/1` */
  readonly name: string
  /** Undefined: not connected. */
  readonly bridge: string | undefined
  /** Of the port that it is plugged into. */
  readonly settings: Settings
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
  /** Path in the file set; undefined when there is no such file. */
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
  /** From bridge to bridge. */
  readonly cables: readonly (readonly [CableEnd, CableEnd])[]
}

export interface CableEnd {
  readonly bridge: string
  /** Of the port that it is plugged into. */
  readonly settings: Settings
}

export interface Bridge {
  readonly name: string
  readonly ports: readonly { readonly device: string; readonly interface: string }[]
  readonly settings: Settings
}

export const BRIDGE_NAME = /^[\p{L}\p{N}_.@:+][\p{L}\p{N}_.@:+-]{0,254}$/u
