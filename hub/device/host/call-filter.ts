/**
 * Which system calls a world's programs may make: seccomp(2), a classic BPF program over struct seccomp_data. Namespaces
 * do not keep all of the machine away: sockets of some families (vsock(7): to the machine itself, and to the one that it
 * is a guest of) and the kernel's log are everybody's. io_uring makes sockets without system calls, and programs of
 * another architecture have other numbers: there is neither in a world.
 *
 * Where a user namespace has root alone, setgroups(2) is refused (user_namespaces(7)), and programs that give up root's
 * groups end, though they have none to give up: tcpdump, sshd. They are told that it was done.
 */
import koffi from 'koffi'
import { SystemError } from '#net/base/errors.ts'
import { libc } from '#net/port/c-library.ts'
import * as calls from '#net/port/libc.ts'
import { putU16le, putU32le } from '#net/wire/octets.ts'

/** linux/prctl.h, linux/seccomp.h */
const PR_SET_NO_NEW_PRIVS = 38
const PR_SET_SECCOMP = 22
const SECCOMP_MODE_FILTER = 2
const SECCOMP_RET_ERRNO = 0x00050000
const SECCOMP_RET_ALLOW = 0x7fff0000
/** linux/bpf_common.h */
const LOAD = 0x20
const JUMP_EQUAL = 0x15
const JUMP_SET = 0x45
const RETURN = 0x06
/** Octets of struct sock_filter; offsets in struct seccomp_data, the last one's of a little-endian machine. */
const INSTRUCTION = 8
const NUMBER = 0
const ARCHITECTURE = 4
const FIRST_ARGUMENT = 16
/** asm-generic/errno.h */
const EPERM = 1
const ENOSYS = 38
const EAFNOSUPPORT = 97

/** bits/socket.h: AF_UNIX, AF_INET, AF_INET6, AF_KEY, AF_NETLINK, AF_PACKET, each a network namespace's own. */
const FAMILIES = [1, 2, 10, 15, 16, 17]
/** The same on all architectures. */
const IO_URING_SETUP = 425

/** Of an architecture: linux/audit.h, asm/unistd.h */
export interface CallNumbers {
  readonly audit: number
  readonly socket: number
  readonly socketpair: number
  readonly syslog: number
  readonly setgroups: number
  /** Bit of the calls of a second set, which the architecture has, too. */
  readonly foreign?: number
}

const GENERIC = { socket: 198, socketpair: 199, syslog: 116, setgroups: 159 }
const NUMBERS: Partial<Record<NodeJS.Architecture, CallNumbers>> = {
  x64: {
    audit: 0xc000_003e,
    socket: 41,
    socketpair: 53,
    syslog: 103,
    setgroups: 116,
    foreign: 0x4000_0000, // x32
  },
  arm64: { audit: 0xc000_00b7, ...GENERIC },
  riscv64: { audit: 0xc000_00f3, ...GENERIC },
}

const Program = koffi.struct({ length: 'uint16', instructions: 'void*' })
const prctl = libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)')
const setFilter = libc.func('int prctl(int, unsigned long, void*)')

/**
 * For the calling thread and all that it starts, for good.
 * @param hasUsers  whether there are users besides root
 * @throws SystemError
 */
export function filterCalls(hasUsers: boolean): void {
  const numbers = NUMBERS[process.arch]
  if (numbers === undefined)
    throw new SystemError('ENOSYS', `cannot filter system calls: not known for ${process.arch}`)
  const filter = callFilter(numbers, hasUsers)
  const program = Buffer.alloc(koffi.sizeof(Program))
  koffi.encode(program, Program, { length: filter.length / INSTRUCTION, instructions: filter })
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
  if (setFilter(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) < 0)
    throw calls.systemError('cannot set a filter of system calls')
}

type Step = readonly [code: number, whenTrue: number, whenFalse: number, value: number]

const load = (offset: number): Step => [LOAD, 0, 0, offset]
const fail = (errno: number): Step => [RETURN, 0, 0, SECCOMP_RET_ERRNO | errno]
const ALLOW: Step = [RETURN, 0, 0, SECCOMP_RET_ALLOW]
/** The steps are done if what was loaded is the value, else those behind them. */
const when = (value: number, ...steps: readonly Step[]): Step[] => [
  [JUMP_EQUAL, 0, steps.length, value],
  ...steps,
]

export function callFilter(numbers: CallNumbers, hasUsers: boolean): Uint8Array {
  const { audit, socket, socketpair, syslog, setgroups, foreign } = numbers
  const families = [
    load(FIRST_ARGUMENT),
    ...FAMILIES.flatMap((family) => when(family, ALLOW)),
    fail(EAFNOSUPPORT),
  ]
  return encode([
    load(ARCHITECTURE),
    [JUMP_EQUAL, 1, 0, audit],
    fail(ENOSYS),
    load(NUMBER),
    ...(foreign === undefined ? [] : [[JUMP_SET, 0, 1, foreign] as const, fail(ENOSYS)]),
    ...when(IO_URING_SETUP, fail(ENOSYS)),
    ...when(syslog, fail(EPERM)),
    ...(hasUsers ? [] : when(setgroups, fail(0))),
    ...when(socket, ...families),
    ...when(socketpair, ...families),
    ALLOW,
  ])
}

function encode(steps: readonly Step[]): Uint8Array {
  const octets = new Uint8Array(steps.length * INSTRUCTION)
  steps.forEach(([code, whenTrue, whenFalse, value], i) => {
    const at = i * INSTRUCTION
    putU16le(octets, at, code)
    octets[at + 2] = whenTrue
    octets[at + 3] = whenFalse
    putU32le(octets, at + 4, value)
  })
  return octets
}
