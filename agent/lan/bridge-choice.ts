/** Which bridges of the hub are joined, and which frames of the LAN belong to each: `-b NAME`, or `--map VLAN=BRIDGE`. */
import { ConfigError } from '#net/base/errors.ts'
import { MAX_VID } from '#net/switch/vlan.ts'

/** VLAN of frames without a tag, or with one that gives a priority alone. */
export const UNTAGGED = 0
/** Each has a channel of the one connection, of which the hub gives 64, and 4 MiB of queues. */
const MAX_BRIDGES = 32

export interface BridgeChoice {
  readonly bridge: string
  /** VID of the LAN's frames that belong to it, `UNTAGGED`; undefined: all frames as they are. */
  readonly vlan: number | undefined
}

/** @param texts  `10=private0`, `untagged=private1`. @throws ConfigError */
export function parseMap(texts: readonly string[]): BridgeChoice[] {
  if (texts.length > MAX_BRIDGES)
    throw new ConfigError(`${texts.length} bridges are mapped: one interface serves ${MAX_BRIDGES} at most`)
  const choices = texts.map(parseEntry)
  for (const [i, { bridge, vlan }] of choices.entries()) {
    const before = choices.slice(0, i)
    if (before.some((other) => other.vlan === vlan))
      throw new ConfigError(`${vlanText(vlan)} is mapped twice: a VLAN belongs to one bridge`)
    if (before.some((other) => other.bridge === bridge))
      throw new ConfigError(`bridge ${bridge} is mapped twice: each bridge has one VLAN`)
  }
  return choices
}

function parseEntry(text: string): { bridge: string; vlan: number } {
  const [vlan = '', bridge = '', ...more] = text.split('=')
  if (bridge === '' || more.length > 0)
    throw new ConfigError(`map ${text}: expected VLAN=BRIDGE or untagged=BRIDGE, as in 10=private0`)
  return { bridge: checkBridge(bridge), vlan: parseVlan(vlan, text) }
}

function parseVlan(vlan: string, text: string): number {
  if (vlan === 'untagged') return UNTAGGED
  const vid = /^\d{1,5}$/.test(vlan) ? Number(vlan) : NaN
  if (vid >= 1 && vid <= MAX_VID) return vid
  const why =
    vid === UNTAGGED
      ? 'VLAN 0 is only a priority: frames without a VLAN are untagged=BRIDGE'
      : vid === MAX_VID + 1
        ? `VLAN ${vid} is reserved (IEEE Std 802.1Q)`
        : `expected untagged, or a VLAN from 1 to ${MAX_VID}`
  throw new ConfigError(`map ${text}: ${why}`)
}

/** 320 characters: a topology's name, a slash, a bridge's. */
export const isBridgeName = (name: string): boolean =>
  /^[\p{L}\p{N}_.@/:+-]{1,320}$/u.test(name) && !name.startsWith('-')

/** It becomes part of a command line of the hub: nothing in it may end the word. @throws ConfigError */
export function checkBridge(name: string): string {
  if (isBridgeName(name)) return name
  throw new ConfigError(`bad bridge name ${JSON.stringify(name)}`)
}

/** `VLAN 10`, for people. */
export const vlanText = (vlan: number): string => (vlan === UNTAGGED ? 'untagged' : `VLAN ${vlan}`)
