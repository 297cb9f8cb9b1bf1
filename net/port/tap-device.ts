/**
 * TAP interfaces of the kernel: made, recognized by a descriptor of theirs, told whether something is plugged in.
 * Linux Documentation/networking/tuntap.rst, linux/if_tun.h.
 */
import { readFileSync } from 'node:fs'
import * as libc from '#net/port/libc.ts'
import { putU16le, putU32le, u16le } from '#net/wire/octets.ts'
import { VIRTIO_HEADER_LEN } from '#net/wire/virtio.ts'

const O_RDWR = 2
const EBUSY = 16
const TUNSETIFF = 0x400454ca
const TUNSETOFFLOAD = 0x400454d0
const TUNGETIFF = 0x800454d2
const TUNSETVNETHDRSZ = 0x400454d8
const TUNSETCARRIER = 0x400454e2
const IFF_TAP = 0x0002
const IFF_NO_PI = 0x1000
const IFF_VNET_HDR = 0x4000
const FLAGS = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
const TUN_F_CSUM = 0x01
const TUN_F_TSO4 = 0x02
const TUN_F_TSO6 = 0x04
const TUN_F_TSO_ECN = 0x08
const TUN_F_USO4 = 0x20
const TUN_F_USO6 = 0x40
const TCP_OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN
/** struct ifreq: the name, then what is asked or set. */
const IFREQ = 40
const IFNAMSIZ = 16

/**
 * Makes a TAP interface with virtio headers and offloads, so that super-frames of the local kernel pass whole.
 * @param device  the system's /dev/net/tun, or another node of it
 * @returns a non-blocking descriptor; the interface goes with it @throws SystemError
 */
export function openTapDevice(name: string, device = '/dev/net/tun'): number {
  const what = `cannot create the TAP ${name}`
  const remedy = {
    [libc.EPERM]: 'needs CAP_NET_ADMIN; run as root',
    [libc.EACCES]: `needs access to ${device}`,
    [libc.EINVAL]: 'an interface of this name exists and is not a TAP, or the name is over 15 characters',
    [EBUSY]: 'another program uses it',
  }
  const fd = libc.open(device, O_RDWR | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC)
  if (fd < 0) throw libc.systemError(what, remedy)
  const request = new Uint8Array(IFREQ)
  request.set(new TextEncoder().encode(name).subarray(0, IFNAMSIZ - 1))
  putU16le(request, IFNAMSIZ, FLAGS)
  const size = new Uint8Array(4)
  putU32le(size, 0, VIRTIO_HEADER_LEN)
  if (libc.ioctl(fd, TUNSETIFF, request) < 0 || libc.ioctl(fd, TUNSETVNETHDRSZ, size) < 0) {
    const error = libc.systemError(what, remedy)
    libc.close(fd)
    throw error
  }
  // Kernels before 6.2 do not know UDP segmentation; the TCP ones are as old as the virtio header.
  if (libc.ioctlValue(fd, TUNSETOFFLOAD, TCP_OFFLOADS | TUN_F_USO4 | TUN_F_USO6) < 0)
    libc.ioctlValue(fd, TUNSETOFFLOAD, TCP_OFFLOADS)
  return fd
}

/**
 * Whether a descriptor that somebody else gave is one of a TAP as `openTapDevice` makes it. What it is is read in /proc
 * first: a call on a file of a file system of his might never return.
 */
export function isTapDevice(fd: number): boolean {
  if (!/^iff:\t\S/m.test(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))) return false
  const answer = new Uint8Array(IFREQ)
  return libc.ioctl(fd, TUNGETIFF, answer) === 0 && (u16le(answer, IFNAMSIZ) & FLAGS) === FLAGS
}

/** Tells the interface's system whether something is plugged in. @returns false when the interface is gone */
export function setTapCarrier(fd: number, isOn: boolean): boolean {
  return libc.ioctl(fd, TUNSETCARRIER, libc.intOctets(isOn ? 1 : 0)) === 0
}
