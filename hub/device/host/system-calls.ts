/** System calls of Linux that a host device's world is made with; all are of the calling thread's namespaces. */
import { SystemError } from '#net/base/errors.ts'
import { libc } from '#net/port/c-library.ts'
import * as calls from '#net/port/libc.ts'
import { putU32le } from '#net/wire/octets.ts'

// linux/mount.h
export const MS_RDONLY = 1
export const MS_NOSUID = 2
export const MS_NODEV = 4
export const MS_NOEXEC = 8
const MS_BIND = 4096
const MS_REC = 16384
const MNT_DETACH = 2
const AT_FDCWD = -100
const AT_RECURSIVE = 0x8000
/** mount_setattr(2), the same on all architectures. */
const SYS_MOUNT_SETATTR = 442
const MOUNT_ATTR_RDONLY = 1
const MOUNT_ATTR_NOSUID = 2
const MOUNT_ATTR_NODEV = 4
/** struct mount_attr: attr_set, attr_clr, propagation, userns_fd. */
const MOUNT_ATTR_SIZE = 32
// linux/sched.h
const CLONE_NEWUTS = 0x04000000
const CLONE_NEWIPC = 0x08000000
/** close_range(2), the same on all architectures: what is neither standard input nor output. */
const SYS_CLOSE_RANGE = 436
const FIRST_DESCRIPTOR = 3
const LAST_DESCRIPTOR = 0xffff_ffff
const CLOSE_RANGE_CLOEXEC = 4
const KEYCTL_JOIN_SESSION_KEYRING = 1
/** keyctl(2), asm/unistd.h */
const SYS_KEYCTL: Partial<Record<NodeJS.Architecture, number>> = {
  x64: 250,
  arm64: 219,
  riscv64: 219,
  s390x: 280,
  ppc64: 271,
}

const mount = libc.func('int mount(const char*, const char*, const char*, unsigned long, const char*)')
const umount2 = libc.func('int umount2(const char*, int)')
const unshare = libc.func('int unshare(int)')
const sethostname = libc.func('int sethostname(const char*, size_t)')
const mountSetattr = libc.func('long syscall(long, long, const char*, unsigned long, void*, size_t)')
const closeRange = libc.func('long syscall(long, unsigned int, unsigned int, unsigned int)')
const keyctl = libc.func('long syscall(long, long, const char*)')

/** @throws SystemError */
export function mountFilesystem(type: string, target: string, flags: number, options = ''): void {
  if (mount(type, target, type, flags, options) < 0)
    throw calls.systemError(`cannot mount ${type} on ${target}`)
}

/** With what is mounted below it. @throws SystemError */
export function bindMount(source: string, target: string): void {
  if (mount(source, target, null, MS_BIND | MS_REC, null) < 0)
    throw calls.systemError(`cannot mount ${source} on ${target}`)
}

/** A mount, and what is mounted below it, that nobody writes to or gains privileges from. @throws SystemError */
export function makeReadOnly(target: string): void {
  const attributes = new Uint8Array(MOUNT_ATTR_SIZE)
  putU32le(attributes, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
  if (mountSetattr(SYS_MOUNT_SETATTR, AT_FDCWD, target, AT_RECURSIVE, attributes, MOUNT_ATTR_SIZE) < 0)
    throw calls.systemError(`cannot make ${target} read-only`)
}

/** A mount and all below it; those who use it keep it until they end. @throws SystemError */
export function detachMount(target: string): void {
  if (umount2(target, MNT_DETACH) < 0) throw calls.systemError(`cannot unmount ${target}`)
}

/** Descriptors that whoever started the hub left open are not for what is started from now on. @throws SystemError */
export function keepDescriptors(): void {
  if (closeRange(SYS_CLOSE_RANGE, FIRST_DESCRIPTOR, LAST_DESCRIPTOR, CLOSE_RANGE_CLOEXEC) < 0)
    throw calls.systemError('cannot keep open files from a device')
}

/**
 * Host name, System V IPC and session keyring of the calling thread, and of what it starts from now on, are no longer
 * the machine's. @throws SystemError
 */
export function leaveMachine(hostname: string): void {
  if (unshare(CLONE_NEWUTS | CLONE_NEWIPC) < 0) throw calls.systemError('cannot make UTS and IPC namespaces')
  if (sethostname(hostname, Buffer.byteLength(hostname)) < 0)
    throw calls.systemError(`cannot set the host name ${hostname}`)
  const number = SYS_KEYCTL[process.arch]
  if (number === undefined)
    throw new SystemError('ENOSYS', `cannot leave the session keyring: not known for ${process.arch}`)
  // A kernel without keyrings has none to leave.
  keyctl(number, KEYCTL_JOIN_SESSION_KEYRING, null)
}
