/** An AF_PACKET socket on one interface: packet(7). Opens, reads its drop counter, closes; no frames pass here. */
import * as libc from '#net/port/libc.ts'
import { SystemError } from '#net/base/errors.ts'
import { INSTRUCTION } from '#net/port/nic/bpf.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { isEthernet, linkIndex } from '#net/port/nic/link.ts'
import { putU16, putU16le, putU32le, u32le } from '#net/wire/octets.ts'

const SOL_PACKET = 263
const SO_ATTACH_FILTER = 26
const PACKET_ADD_MEMBERSHIP = 1
const PACKET_STATISTICS = 6
const PACKET_AUXDATA = 8
const PACKET_VNET_HDR = 15
const PACKET_IGNORE_OUTGOING = 23
const PACKET_MR_PROMISC = 1
const ETH_P_ALL = 3
const SOCKADDR_LL = 20
const RECEIVE_BUFFER = 16 << 20
const SEND_BUFFER = 8 << 20

/**
 * Opens a promiscuous packet socket with virtio headers and auxiliary data on `name`.
 * @param filter  a BPF program (`BpfAssembler`) that the socket has from its first frame on
 * @returns the descriptor, which the caller closes, and the index of the interface that it is bound to
 * @throws SystemError: EPERM without CAP_NET_RAW, ENODEV without such an interface
 */
export function openPacketSocket(name: string, filter?: Uint8Array): { fd: number; index: number } {
  const index = linkIndex(name)
  const what = `cannot open ${name}`
  if (index === 0) throw libc.systemError(what, { [libc.ENODEV]: '`ip link` lists the interfaces' })
  if (!isEthernet(name))
    throw new SystemError(
      'EPROTOTYPE',
      `${what}: it is no Ethernet interface (\`ip link\` tells the type of each)`,
    )
  // Protocol 0: nothing arrives before bind, so no other interface's frames slip in.
  const fd = libc.socket(libc.AF_PACKET, libc.SOCK_RAW | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0)
  if (fd < 0)
    throw libc.systemError(what, {
      [libc.EPERM]: 'needs CAP_NET_RAW; run as root, or give the program the capability with setcap',
    })
  try {
    const one = libc.intOctets(1)
    option(fd, PACKET_VNET_HDR, one, `${what} with virtio headers`)
    option(fd, PACKET_AUXDATA, one, `${what} with auxiliary data`)
    option(fd, PACKET_IGNORE_OUTGOING, one, `${what} without hearing itself (needs Linux 4.20)`)
    const membership = new Uint8Array(16)
    putU32le(membership, 0, index)
    putU16le(membership, 4, PACKET_MR_PROMISC)
    option(fd, PACKET_ADD_MEMBERSHIP, membership, `cannot make ${name} promiscuous`)
    libc.setBuffer(fd, libc.SO_RCVBUFFORCE, libc.SO_RCVBUF, RECEIVE_BUFFER)
    libc.setBuffer(fd, libc.SO_SNDBUFFORCE, libc.SO_SNDBUF, SEND_BUFFER)
    if (filter !== undefined) attachFilter(fd, filter, name)
    const address = new Uint8Array(SOCKADDR_LL)
    putU16le(address, 0, libc.AF_PACKET)
    putU16(address, 2, ETH_P_ALL)
    putU32le(address, 4, index)
    if (libc.bind(fd, address, SOCKADDR_LL) < 0) throw libc.systemError(`cannot bind to ${name}`)
  } catch (error) {
    libc.close(fd)
    throw error
  }
  return { fd, index }
}

/** Index of the interface that the socket hears; below zero when that is gone, also if another has its index now. */
export function boundIndex(fd: number): number {
  const address = new Uint8Array(SOCKADDR_LL)
  const length = libc.intOctets(SOCKADDR_LL)
  return libc.getsockname(fd, address, length) < 0 ? -1 : u32le(address, 4) | 0
}

/**
 * Sets the BPF program that decides which frames the socket receives, in the place of another one; the kernel changes
 * over between two frames. @throws SystemError ENOMEM
 */
export function attachFilter(fd: number, program: Uint8Array, name: string): void {
  const memory = FrameMemory.native(program.length)
  memory.bytes.set(program)
  const fprog = new Uint8Array(16) // struct sock_fprog
  putU16le(fprog, 0, program.length / INSTRUCTION)
  new DataView(fprog.buffer).setBigUint64(8, BigInt(memory.address), true)
  const result = libc.setsockopt(fd, libc.SOL_SOCKET, SO_ATTACH_FILTER, fprog, fprog.length)
  const error = result < 0 ? libc.systemError(`cannot set the packet filter of ${name}`) : undefined
  memory.free()
  if (error !== undefined) throw error
}

/** Frames that the kernel dropped on this socket since the last call: PACKET_STATISTICS resets when read. */
export function takeKernelDrops(fd: number): number {
  const statistics = new Uint8Array(8)
  const length = libc.intOctets(statistics.length)
  return libc.getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, statistics, length) < 0 ? 0 : u32le(statistics, 4)
}

/** The error that the socket holds, which is cleared by it: 0 when there is none. */
export function takeSocketError(fd: number): number {
  const value = libc.intOctets(0)
  const length = libc.intOctets(4)
  return libc.getsockopt(fd, libc.SOL_SOCKET, libc.SO_ERROR, value, length) < 0 ? 0 : u32le(value, 0)
}

function option(fd: number, name: number, value: Uint8Array, what: string): void {
  if (libc.setsockopt(fd, SOL_PACKET, name, value, value.length) < 0) throw libc.systemError(what)
}
