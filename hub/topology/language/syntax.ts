/**
 * What a topology file says, before it is known whether it makes sense: the block language behind the preprocessor, with
 * the place of everything.
 */
import type { Place } from '#hub/topology/language/source.ts'

export interface Text {
  readonly text: string
  readonly place: Place
}

export interface InterfaceBlock {
  /** `em0` */
  readonly name: Text
  /** Undefined: none is named. */
  readonly bridge: Text | undefined
  readonly address: Text | undefined
  readonly vlan: number | undefined
}

/** `install "source" "target";` */
interface Install {
  readonly source: Text
  readonly target: Text
}

/** The kinds of disk that a device may name. */
export const DISKS = ['basedisk', 'bootdisk', 'bootdisk_rw', 'cdrom_boot'] as const
export type DiskKind = (typeof DISKS)[number]

export interface VmBlock {
  readonly name: Text
  readonly hostname: Text | undefined
  readonly disk: { readonly kind: DiskKind; readonly file: Text } | undefined
  /** Megabytes. */
  readonly memory: number | undefined
  readonly cpus: number | undefined
  /** In their order; a key may be there several times. */
  readonly variables: readonly { readonly key: Text; readonly value: Text }[]
  readonly installs: readonly Install[]
  readonly interfaces: readonly InterfaceBlock[]
}

export interface ConfigBlock {
  readonly name: Text
  readonly bridges: readonly Text[]
  readonly vms: readonly VmBlock[]
}
