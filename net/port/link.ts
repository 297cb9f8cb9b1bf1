/** Settings of a network interface through ioctl: flags, MTU, index, driver features. Linux netdevice(7), ethtool. */
import * as libc from '#net/port/libc.ts'
import { putU32le, u16le, u32le } from '#net/wire/octets.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'

const IFNAMSIZ = 16
const SIOCGIFFLAGS = 0x8913
const SIOCSIFFLAGS = 0x8914
const SIOCGIFMTU = 0x8921
const SIOCSIFMTU = 0x8922
const SIOCGIFHWADDR = 0x8927
const SIOCETHTOOL = 0x8946
const IFF_UP = 1
const ARPHRD_ETHER = 1

const REMEDY = {
  [libc.EPERM]: 'needs CAP_NET_ADMIN; run as root',
  [libc.ENODEV]: 'there is no such interface; `ip link` lists them',
  [libc.ENXIO]: 'there is no such interface; `ip link` lists them',
}

let control = -1
/** The socket that interface ioctls go through; kept open. */
function controlSocket(): number {
  if (control < 0) control = libc.socket(libc.AF_INET, libc.SOCK_DGRAM | libc.SOCK_CLOEXEC, 0)
  return control
}

function request(name: string): Uint8Array {
  const octets = new Uint8Array(40)
  octets.set(new TextEncoder().encode(name).subarray(0, IFNAMSIZ - 1))
  return octets
}

function call(code: number, octets: Uint8Array, what: string): void {
  if (libc.ioctl(controlSocket(), code, octets) < 0) throw libc.systemError(what, REMEDY)
}

/** 0 when there is none. */
export const linkIndex = (name: string): number => libc.ifNameToIndex(name)

/** @throws SystemError ENODEV */
export function isLinkUp(name: string): boolean {
  const octets = request(name)
  call(SIOCGIFFLAGS, octets, `cannot read the state of ${name}`)
  return (u16le(octets, IFNAMSIZ) & IFF_UP) !== 0
}

/** Brings the interface up or down. @throws SystemError */
export function setLinkUp(name: string, up: boolean): void {
  const octets = request(name)
  call(SIOCGIFFLAGS, octets, `cannot read the state of ${name}`)
  const flags = u16le(octets, IFNAMSIZ)
  const wanted = up ? flags | IFF_UP : flags & ~IFF_UP
  if (wanted === flags) return
  octets[IFNAMSIZ] = wanted & 255
  octets[IFNAMSIZ + 1] = wanted >>> 8
  call(SIOCSIFFLAGS, octets, `cannot bring ${name} ${up ? 'up' : 'down'}`)
}

/** @returns octets of payload that one frame carries. @throws SystemError */
export function linkMtu(name: string): number {
  const octets = request(name)
  call(SIOCGIFMTU, octets, `cannot read the MTU of ${name}`)
  return u32le(octets, IFNAMSIZ)
}

/** @throws SystemError EINVAL when the driver does not take this size */
export function setLinkMtu(name: string, mtu: number): void {
  const octets = request(name)
  putU32le(octets, IFNAMSIZ, mtu)
  call(SIOCSIFMTU, octets, `cannot set the MTU of ${name} to ${mtu}`)
}

/** Whether the interface carries Ethernet frames; the loopback, a TUN, Wi-Fi in monitor mode do not. @throws SystemError */
export function isEthernet(name: string): boolean {
  const octets = request(name)
  call(SIOCGIFHWADDR, octets, `cannot read the type of ${name}`)
  return u16le(octets, IFNAMSIZ) === ARPHRD_ETHER
}

/** @returns `02:00:00:00:00:01`. @throws SystemError */
export function linkAddress(name: string): string {
  const octets = request(name)
  call(SIOCGIFHWADDR, octets, `cannot read the address of ${name}`)
  return Array.from(octets.subarray(18, 24), (o) => o.toString(16).padStart(2, '0')).join(':')
}

// ethtool(8)'s interface, linux/ethtool.h: offloads are features with a name and a bit.
const ETHTOOL_GSSET_INFO = 0x37
const ETHTOOL_GSTRINGS = 0x1b
const ETHTOOL_GFEATURES = 0x3a
const ETHTOOL_SFEATURES = 0x3b
const ETH_SS_FEATURES = 4
const ETH_GSTRING_LEN = 32

/** Calls ethtool with a block of native memory that `command` was written into; false when the driver refuses. */
function ethtool(name: string, block: FrameMemory): boolean {
  const octets = request(name)
  new DataView(octets.buffer).setBigUint64(IFNAMSIZ, BigInt(block.address), true)
  return libc.ioctl(controlSocket(), SIOCETHTOOL, octets) >= 0
}

/** Names of the driver's features, in the order of their bits; empty when it has none. */
function featureNames(name: string): string[] {
  const info = FrameMemory.native(32)
  putU32le(info.bytes, 0, ETHTOOL_GSSET_INFO)
  putU32le(info.bytes, 8, 1 << ETH_SS_FEATURES)
  const count = ethtool(name, info) ? u32le(info.bytes, 16) : 0
  info.free()
  if (count === 0 || count > 512) return []
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

/** Features that are on now. */
export function activeFeatures(name: string): string[] {
  const names = featureNames(name)
  if (names.length === 0) return []
  const words = Math.ceil(names.length / 32)
  const block = FrameMemory.native(8 + words * 16)
  putU32le(block.bytes, 0, ETHTOOL_GFEATURES)
  putU32le(block.bytes, 4, words)
  const known = ethtool(name, block)
  // Each word of 32 features: available, requested, active, never changed.
  const active = names.filter(
    (_feature, i) => known && ((u32le(block.bytes, 8 + (i >> 5) * 16 + 8) >>> (i & 31)) & 1) === 1,
  )
  block.free()
  return active
}

/** Switches features on or off, those that the driver lets. @returns whether the driver took the request. */
export function setFeatures(name: string, wanted: readonly string[], on: boolean): boolean {
  const names = featureNames(name)
  const words = Math.ceil(names.length / 32)
  if (words === 0) return false
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
  const done = ethtool(name, block)
  block.free()
  return done
}
