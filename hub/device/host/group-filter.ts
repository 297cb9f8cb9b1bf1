/**
 * Where a user namespace has root alone, setgroups(2) is refused (user_namespaces(7)), and programs that give up root's
 * groups end, though they have none to give up: tcpdump, sshd. They are told that it was done: seccomp(2), a classic
 * BPF program over struct seccomp_data.
 */
import koffi from 'koffi'
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
const RETURN = 0x06
/** Octets of struct sock_filter; offsets in struct seccomp_data. */
const INSTRUCTION = 8
const NUMBER = 0
const ARCHITECTURE = 4

/** linux/audit.h, asm/unistd.h */
const SETGROUPS: Partial<Record<NodeJS.Architecture, { readonly audit: number; readonly number: number }>> = {
  x64: { audit: 0xc000_003e, number: 116 },
  arm64: { audit: 0xc000_00b7, number: 159 },
}

const Program = koffi.struct({ length: 'uint16', instructions: 'void*' })
const prctl = libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)')
const setFilter = libc.func('int prctl(int, unsigned long, void*)')

/** For the calling thread and all that it starts, for good. @throws SystemError */
export function pretendSetGroups(): void {
  const call = SETGROUPS[process.arch]
  if (call === undefined) return
  const filter = setGroupsFilter(call.audit, call.number)
  const program = Buffer.alloc(koffi.sizeof(Program))
  koffi.encode(program, Program, { length: filter.length / INSTRUCTION, instructions: filter })
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
  if (setFilter(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) < 0)
    throw calls.systemError('cannot set a filter of system calls')
}

/** What answers 0 to one system call of one architecture, and lets all others be. */
export function setGroupsFilter(audit: number, number: number): Uint8Array {
  const steps = [
    [LOAD, 0, 0, ARCHITECTURE],
    [JUMP_EQUAL, 0, 3, audit],
    [LOAD, 0, 0, NUMBER],
    [JUMP_EQUAL, 0, 1, number],
    [RETURN, 0, 0, SECCOMP_RET_ERRNO],
    [RETURN, 0, 0, SECCOMP_RET_ALLOW],
  ] as const
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
