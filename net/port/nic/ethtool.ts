/** Driver features (offloads), carrier and speed of a network interface, through ethtool's ioctl. linux/ethtool.h. */
import * as libc from '#net/port/libc.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { controlSocket, linkError, linkRequest } from '#net/port/nic/link.ts'
import { putU32le, u16le, u32le, u8 } from '#net/wire/octets.ts'

const SIOCETHTOOL = 0x8946
const POINTER = 16 // in struct ifreq
const ETHTOOL_GSET = 0x01
const ETHTOOL_GLINK = 0x0a
const ETHTOOL_GSSET_INFO = 0x37
const ETHTOOL_GSTRINGS = 0x1b
const ETHTOOL_GFEATURES = 0x3a
const ETHTOOL_SFEATURES = 0x3b
const ETH_SS_FEATURES = 4
const ETH_GSTRING_LEN = 32
const MAX_FEATURES = 512
/** struct ethtool_cmd. */
const SETTINGS = 44
const UNKNOWN_SPEED = 0xffff_ffff
const DUPLEX_HALF = 0

/** One offload, as `ethtool -k` names it in the kernel's words: `rx-gro-list`. */
export interface Feature {
  readonly name: string
  readonly active: boolean
  /** The driver lets it be switched; not `[fixed]`. */
  readonly changeable: boolean
}

/** Whether a cable is plugged in and something answers; true when the driver cannot tell. */
export function hasCarrier(name: string): boolean {
  const block = FrameMemory.native(8)
  putU32le(block.bytes, 0, ETHTOOL_GLINK)
  const carrier = !ethtool(name, block) || u32le(block.bytes, 4) !== 0
  block.free()
  return carrier
}

export interface LinkSpeed {
  readonly megabits: number
  readonly isHalfDuplex: boolean
}

/** Undefined when the driver does not tell, as without a carrier. */
export function linkSpeed(name: string): LinkSpeed | undefined {
  const block = FrameMemory.native(SETTINGS)
  putU32le(block.bytes, 0, ETHTOOL_GSET)
  const isKnown = ethtool(name, block)
  const megabits = u16le(block.bytes, 12) + u16le(block.bytes, 28) * 0x1_0000
  const isHalfDuplex = u8(block.bytes, 14) === DUPLEX_HALF
  block.free()
  return isKnown && megabits > 0 && megabits !== UNKNOWN_SPEED ? { megabits, isHalfDuplex } : undefined
}

/** The driver's features; empty when it has none. */
export function linkFeatures(name: string): Feature[] {
  const names = featureNames(name)
  if (names.length === 0) return []
  const words = Math.ceil(names.length / 32)
  const block = FrameMemory.native(8 + words * 16)
  putU32le(block.bytes, 0, ETHTOOL_GFEATURES)
  putU32le(block.bytes, 4, words)
  const known = ethtool(name, block)
  // Each word of 32 features: available, requested, active, never changed.
  const bit = (feature: number, which: number): boolean =>
    ((u32le(block.bytes, 8 + (feature >> 5) * 16 + which * 4) >>> (feature & 31)) & 1) === 1
  const features = names.map((feature, i) => ({
    name: feature,
    active: bit(i, 2),
    changeable: bit(i, 0) && !bit(i, 3),
  }))
  block.free()
  return known ? features : []
}

/** Switches features on or off, those that the driver lets. @throws SystemError when it does not take the request */
export function setFeatures(name: string, wanted: readonly string[], on: boolean): void {
  const names = featureNames(name)
  const words = Math.ceil(names.length / 32)
  const block = FrameMemory.native(8 + words * 8)
  putU32le(block.bytes, 0, ETHTOOL_SFEATURES)
  putU32le(block.bytes, 4, words)
  for (const feature of wanted) {
    const i = names.indexOf(feature)
    if (i < 0) continue
    const word = 8 + (i >> 5) * 8
    putU32le(block.bytes, word, u32le(block.bytes, word) | (1 << (i & 31)))
    if (on) putU32le(block.bytes, word + 4, u32le(block.bytes, word + 4) | (1 << (i & 31)))
  }
  const failure = ethtool(name, block) ? undefined : linkError(`cannot switch offloads of ${name}`)
  block.free()
  if (failure) throw failure
}

/** Calls ethtool with a block of native memory that the command was written into; false when the driver refuses. */
function ethtool(name: string, block: FrameMemory): boolean {
  const octets = linkRequest(name)
  new DataView(octets.buffer).setBigUint64(POINTER, BigInt(block.address), true)
  return libc.ioctl(controlSocket(), SIOCETHTOOL, octets) >= 0
}

/** Names of the driver's features, in the order of their bits; empty when it has none. */
function featureNames(name: string): string[] {
  const info = FrameMemory.native(32)
  putU32le(info.bytes, 0, ETHTOOL_GSSET_INFO)
  putU32le(info.bytes, 8, 1 << ETH_SS_FEATURES)
  const count = ethtool(name, info) ? u32le(info.bytes, 16) : 0
  info.free()
  if (count === 0 || count > MAX_FEATURES) return []
  const strings = FrameMemory.native(12 + count * ETH_GSTRING_LEN)
  putU32le(strings.bytes, 0, ETHTOOL_GSTRINGS)
  putU32le(strings.bytes, 4, ETH_SS_FEATURES)
  putU32le(strings.bytes, 8, count)
  const names: string[] = []
  if (ethtool(name, strings))
    for (let i = 0; i < count; i++) {
      const from = 12 + i * ETH_GSTRING_LEN
      const text = new TextDecoder('latin1').decode(strings.bytes.slice(from, from + ETH_GSTRING_LEN))
      names.push(text.split('\0', 1)[0] ?? '')
    }
  strings.free()
  return names
}
