/** Open descriptors that travel over a unix stream socket beside octets: unix(7), SCM_RIGHTS; cmsg(3). */
import { FrameMemory } from '#net/port/frame-memory.ts'
import * as libc from '#net/port/libc.ts'
import { putPointer } from '#net/port/pointer.ts'
import { putU32le, u32le } from '#net/wire/octets.ts'

/** Descriptors of one message; the kernel takes 253. */
const MOST_DESCRIPTORS = 64
/** Octets of one message. */
const MOST_OCTETS = 16_384
const SCM_RIGHTS = 1
const MSG_CTRUNC = 0x08
const MSG_CMSG_CLOEXEC = 0x40000000

// struct msghdr, iovec, cmsghdr of x86-64 and arm64, one behind the other
const MSG_IOV = 16
const MSG_IOVLEN = 24
const MSG_CONTROL = 32
const MSG_CONTROLLEN = 40
const MSG_FLAGS = 48
const IOVEC = 56
const CONTROL = 72
const CMSG_LEVEL = 8
const CMSG_TYPE = 12
const CMSG_DATA = 16
const OCTETS = CONTROL + CMSG_DATA + 4 * MOST_DESCRIPTORS

/** What came in; the receiver owns the descriptors. */
export interface Received {
  /** Octets; 0: the far side has closed; below: nothing came, it is the errno, negative. */
  readonly count: number
  readonly descriptors: readonly number[]
  /** There were more descriptors than are taken, and they are lost. */
  readonly isCut: boolean
}

/** Sends octets and descriptors, which stay the caller's. @returns false when the socket does not take all of it at once */
export function sendDescriptors(socket: number, octets: Uint8Array, descriptors: readonly number[]): boolean {
  if (octets.length > MOST_OCTETS || descriptors.length > MOST_DESCRIPTORS) return false
  const length = CMSG_DATA + 4 * descriptors.length
  const message = messageOf(octets.length, descriptors.length === 0 ? 0 : (length + 7) & ~7)
  const { bytes } = message
  bytes.set(octets, OCTETS)
  putU32le(bytes, CONTROL, length)
  putU32le(bytes, CONTROL + CMSG_LEVEL, libc.SOL_SOCKET)
  putU32le(bytes, CONTROL + CMSG_TYPE, SCM_RIGHTS)
  for (const [i, fd] of descriptors.entries()) putU32le(bytes, CONTROL + CMSG_DATA + 4 * i, fd)
  return libc.sendmsg(socket, message.address, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL) === octets.length
}

/** Receives what there is into `octets`, of which it fills 16 384 at most, and the descriptors that came with it. */
export function receiveDescriptors(socket: number, octets: Uint8Array): Received {
  const room = Math.min(octets.length, MOST_OCTETS)
  const message = messageOf(room, OCTETS - CONTROL)
  const { bytes } = message
  const count = libc.recvmsg(socket, message.address, libc.MSG_DONTWAIT | MSG_CMSG_CLOEXEC)
  if (count < 0) return { count: -libc.errno(), descriptors: [], isCut: false }
  octets.set(bytes.subarray(OCTETS, OCTETS + count))
  const descriptors: number[] = []
  const isRights =
    u32le(bytes, MSG_CONTROLLEN) >= CMSG_DATA &&
    u32le(bytes, CONTROL + CMSG_LEVEL) === libc.SOL_SOCKET &&
    u32le(bytes, CONTROL + CMSG_TYPE) === SCM_RIGHTS
  if (isRights)
    for (let at = CMSG_DATA; at + 4 <= u32le(bytes, CONTROL); at += 4)
      descriptors.push(u32le(bytes, CONTROL + at))
  return { count, descriptors, isCut: (u32le(bytes, MSG_FLAGS) & MSG_CTRUNC) !== 0 }
}

/** Used by one call after the other. */
let memory: FrameMemory | undefined

/** A message with room for octets, and for octets of control data. */
function messageOf(octets: number, control: number): FrameMemory {
  const message = (memory ??= FrameMemory.native(OCTETS + MOST_OCTETS))
  const { bytes, address } = message
  putPointer(bytes, MSG_IOV, address + IOVEC)
  putU32le(bytes, MSG_IOVLEN, 1)
  putPointer(bytes, MSG_CONTROL, address + CONTROL)
  putU32le(bytes, MSG_CONTROLLEN, control)
  putPointer(bytes, IOVEC, address + OCTETS)
  putU32le(bytes, IOVEC + 8, octets)
  return message
}
