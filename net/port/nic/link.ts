/** Settings of a network interface through ioctl: name, index, flags, MTU, address. Linux netdevice(7). */
import type { SystemError } from '#net/base/errors.ts'
import * as libc from '#net/port/libc.ts'
import { putU16le, putU32le, u16le, u32le } from '#net/wire/octets.ts'

const IFNAMSIZ = 16
const SIOCGIFNAME = 0x8910
const SIOCGIFFLAGS = 0x8913
const SIOCSIFFLAGS = 0x8914
const SIOCGIFMTU = 0x8921
const SIOCSIFMTU = 0x8922
const SIOCSIFHWADDR = 0x8924
const SIOCGIFHWADDR = 0x8927
const IFF_UP = 1
const IFF_RUNNING = 0x40
const ARPHRD_ETHER = 1

const REMEDY = {
  [libc.EPERM]: 'needs CAP_NET_ADMIN; run as root',
  [libc.ENODEV]: 'there is no such interface; `ip link` lists them',
  [libc.ENXIO]: 'there is no such interface; `ip link` lists them',
  [libc.ENETDOWN]: 'the interface that it is built on is down; `ip link set PARENT up`',
  [libc.ERFKILL]: 'its radio is switched off; `rfkill unblock all`',
}

/** The error to throw for a call about an interface that has just failed, with the remedy. */
export const linkError = (what: string): SystemError => libc.systemError(what, REMEDY)

let control = -1
/** The socket that interface ioctls go through; kept open. */
export function controlSocket(): number {
  if (control < 0) control = libc.socket(libc.AF_INET, libc.SOCK_DGRAM | libc.SOCK_CLOEXEC, 0)
  return control
}

/** struct ifreq of an interface: its name, then what is asked or set, from octet 16. */
export function linkRequest(name: string): Uint8Array {
  const octets = new Uint8Array(40)
  octets.set(new TextEncoder().encode(name).subarray(0, IFNAMSIZ - 1))
  return octets
}

function call(code: number, octets: Uint8Array, what: string): void {
  if (libc.ioctl(controlSocket(), code, octets) < 0) throw linkError(what)
}

/** 0 when there is none. */
export const linkIndex = (name: string): number => libc.ifNameToIndex(name)

/** What interface number `index` is called now; empty when there is none. */
export function linkName(index: number): string {
  const octets = linkRequest('')
  putU32le(octets, IFNAMSIZ, index)
  if (libc.ioctl(controlSocket(), SIOCGIFNAME, octets) < 0) return ''
  return new TextDecoder().decode(octets.subarray(0, octets.indexOf(0)))
}

/** The name of an interface that may be called by another one, `ens3alt` or `eth0:1`; unchanged where there is none. */
export const canonicalName = (name: string): string =>
  (process.platform === 'linux' && linkName(linkIndex(name))) || name

/** @throws SystemError ENODEV */
export function isLinkUp(name: string): boolean {
  const octets = linkRequest(name)
  call(SIOCGIFFLAGS, octets, `cannot read the state of ${name}`)
  return (u16le(octets, IFNAMSIZ) & IFF_UP) !== 0
}

/** It is up, and something is at the other end. False when it is gone. */
export function isLinkRunning(name: string): boolean {
  const octets = linkRequest(name)
  if (libc.ioctl(controlSocket(), SIOCGIFFLAGS, octets) < 0) return false
  return (u16le(octets, IFNAMSIZ) & (IFF_UP | IFF_RUNNING)) === (IFF_UP | IFF_RUNNING)
}

/** Brings the interface up or down. @throws SystemError */
export function setLinkUp(name: string, up: boolean): void {
  const octets = linkRequest(name)
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
  const octets = linkRequest(name)
  call(SIOCGIFMTU, octets, `cannot read the MTU of ${name}`)
  return u32le(octets, IFNAMSIZ)
}

/** @throws SystemError EINVAL when the driver does not take this size */
export function setLinkMtu(name: string, mtu: number): void {
  const octets = linkRequest(name)
  putU32le(octets, IFNAMSIZ, mtu)
  call(SIOCSIFMTU, octets, `cannot set the MTU of ${name} to ${mtu}`)
}

/** Whether the interface carries Ethernet frames; the loopback, a TUN, Wi-Fi in monitor mode do not. @throws SystemError */
export function isEthernet(name: string): boolean {
  const octets = linkRequest(name)
  call(SIOCGIFHWADDR, octets, `cannot read the type of ${name}`)
  return u16le(octets, IFNAMSIZ) === ARPHRD_ETHER
}

/** @returns `02:00:00:00:00:01`. @throws SystemError */
export function linkAddress(name: string): string {
  const octets = linkRequest(name)
  call(SIOCGIFHWADDR, octets, `cannot read the address of ${name}`)
  return Array.from(octets.subarray(18, 24), (o) => o.toString(16).padStart(2, '0')).join(':')
}

/** @param address  `02:00:00:00:00:01`. @throws SystemError */
export function setLinkAddress(name: string, address: string): void {
  const octets = linkRequest(name)
  putU16le(octets, IFNAMSIZ, ARPHRD_ETHER)
  for (const [i, octet] of address.split(':').entries()) octets[18 + i] = Number.parseInt(octet, 16)
  call(SIOCSIFHWADDR, octets, `cannot give ${name} the address ${address}`)
}
