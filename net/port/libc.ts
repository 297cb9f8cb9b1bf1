/**
 * The C library's calls that ports need, through koffi: about 0.3 us a call, and no addon of ours to build.
 * Buffers are given as Uint8Array, or as the address of native memory (`FrameMemory.address` + offset).
 */
import koffi from 'koffi'
import { getSystemErrorMap } from 'node:util'
import { SystemError } from '#net/base/errors.ts'
import { libc } from '#net/port/c-library.ts'

export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const AF_NETLINK = 16
export const AF_PACKET = 17
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_NONBLOCK = 0x800
export const SOCK_CLOEXEC = 0x80000
export const SOL_SOCKET = 1
export const SO_ERROR = 4
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
export const SO_PEERCRED = 17
export const SO_SNDBUFFORCE = 32
export const SO_RCVBUFFORCE = 33
export const MSG_DONTWAIT = 0x40
export const MSG_TRUNC = 0x20
export const MSG_NOSIGNAL = 0x4000

export const CLOCK_MONOTONIC = 1

export const LOCK_EX = 2
export const LOCK_NB = 4

export const EAGAIN = 11
export const EINTR = 4
export const EINVAL = 22
export const EMSGSIZE = 90
export const ENOBUFS = 105
export const EADDRNOTAVAIL = 99
export const ENETDOWN = 100
export const ERFKILL = 132
export const ENXIO = 6
export const ENODEV = 19
export const EPERM = 1
export const EACCES = 13
export const ENOENT = 2
export const ENOTDIR = 20
export const ENFILE = 23
export const EMFILE = 24
export const ECONNRESET = 104
export const ENOTCONN = 107
export const ECONNREFUSED = 111

type Call<A extends unknown[]> = (...args: A) => number

export const socket = libc.func('int socket(int, int, int)') as Call<[number, number, number]>
export const bind = libc.func('int bind(int, void*, unsigned int)') as Call<[number, Uint8Array, number]>
export const connect = libc.func('int connect(int, void*, unsigned int)') as Call<
  [number, Uint8Array, number]
>
export const listen = libc.func('int listen(int, int)') as Call<[number, number]>
export const accept4 = libc.func('int accept4(int, void*, void*, int)') as Call<[number, null, null, number]>
export const setsockopt = libc.func('int setsockopt(int, int, int, void*, unsigned int)') as Call<
  [number, number, number, Uint8Array, number]
>
export const getsockopt = libc.func('int getsockopt(int, int, int, void*, void*)') as Call<
  [number, number, number, Uint8Array, Uint8Array]
>
export const getsockname = libc.func('int getsockname(int, void*, void*)') as Call<
  [number, Uint8Array, Uint8Array]
>
export const getpeername = libc.func('int getpeername(int, void*, void*)') as Call<
  [number, Uint8Array, Uint8Array]
>
export const open = libc.func('int open(const char*, int)') as Call<[string, number]>
export const close = libc.func('int close(int)') as Call<[number]>
export const read = libc.func('long read(int, uintptr_t, size_t)') as Call<[number, number, number]>
export const preadv2 = libc.func('long preadv2(int, uintptr_t, int, long, int)') as Call<
  [number, number, number, number, number]
>
export const pwritev2 = libc.func('long pwritev2(int, uintptr_t, int, long, int)') as Call<
  [number, number, number, number, number]
>
export const recv = libc.func('long recv(int, uintptr_t, size_t, int)') as Call<
  [number, number, number, number]
>
export const recvBuffer = libc.func('long recv(int, void*, size_t, int)') as Call<
  [number, Uint8Array, number, number]
>
export const sendBuffer = libc.func('long send(int, void*, size_t, int)') as Call<
  [number, Uint8Array, number, number]
>
export const sendFrom = libc.func('long send(int, uintptr_t, size_t, int)') as Call<
  [number, number, number, number]
>
export const sendmsg = libc.func('long sendmsg(int, uintptr_t, int)') as Call<[number, number, number]>
export const recvmsg = libc.func('long recvmsg(int, uintptr_t, int)') as Call<[number, number, number]>
export const recvmmsg = libc.func('int recvmmsg(int, uintptr_t, unsigned int, int, void*)') as Call<
  [number, number, number, number, null]
>
export const sendmmsg = libc.func('int sendmmsg(int, uintptr_t, unsigned int, int)') as Call<
  [number, number, number, number]
>
export const ioctl = libc.func('int ioctl(int, unsigned long, void*)') as Call<[number, number, Uint8Array]>
export const ioctlValue = libc.func('int ioctl(int, unsigned long, unsigned long)') as Call<
  [number, number, number]
>
export const timerfdCreate = libc.func('int timerfd_create(int, int)') as Call<[number, number]>
export const timerfdSettime = libc.func('int timerfd_settime(int, int, uintptr_t, uintptr_t)') as Call<
  [number, number, number, number]
>
export const mknod = libc.func('int mknod(const char*, unsigned int, unsigned long)') as Call<
  [string, number, number]
>
export const flock = libc.func('int flock(int, int)') as Call<[number, number]>
export const ifNameToIndex = libc.func('unsigned int if_nametoindex(const char*)') as Call<[string]>

/** The errno of the call just made from this thread. */
export const errno = (): number => koffi.errno()

/** `EPERM` for 1. */
const errnoName = (code: number): string => getSystemErrorMap().get(-code)?.[0] ?? `errno ${code}`

/** `operation not permitted` for 1. */
export const errnoText = (code: number): string => getSystemErrorMap().get(-code)?.[1] ?? `errno ${code}`

/**
 * The error to throw for a call that has just failed.
 * @param what  what failed, on what: `cannot open eth1`
 * @param remedy  what to do, by errno; put in brackets after the reason
 */
export function systemError(what: string, remedy: { readonly [errno: number]: string } = {}): SystemError {
  const code = errno()
  const advice = remedy[code]
  return new SystemError(errnoName(code), `${what}: ${errnoText(code)}${advice ? ` (${advice})` : ''}`)
}

/** Four octets of an int, for setsockopt. */
export function intOctets(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer)
}

/** Sets a socket buffer beyond the system's limit when privileged, else as large as the limit lets. */
export function setBuffer(fd: number, force: number, plain: number, size: number): void {
  if (setsockopt(fd, SOL_SOCKET, force, intOctets(size), 4) < 0)
    setsockopt(fd, SOL_SOCKET, plain, intOctets(size), 4)
}
