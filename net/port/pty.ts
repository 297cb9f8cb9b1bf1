/**
 * A pseudo-terminal, pty(7): programs have one end as their terminal, what they show is read from the other and what
 * they are to read is written there.
 */
import type { SystemError } from '#net/base/errors.ts'
import { libc as library } from '#net/port/c-library.ts'
import * as libc from '#net/port/libc.ts'
import { READABLE, Watcher, WRITABLE } from '#net/port/reactor.ts'
import { putU32le, u32le } from '#net/wire/octets.ts'

const O_RDWR = 0o2
const O_NOCTTY = 0o400
const O_NONBLOCK = 0o4000
const O_CLOEXEC = 0o2000000
/** asm-generic/ioctls.h */
const TIOCSWINSZ = 0x5414
const TIOCGPTPEER = 0x5441
/** A read gives so many octets at most, as Linux has it; and so many reads are done for one readiness. */
const READ_OCTETS = 4096
const READS_AT_ONCE = 4
const NOTHING = Buffer.alloc(0)
/** asm-generic/termbits.h: octets of struct termios of the C library, which begins with c_iflag. */
const TERMIOS = 60
const IUTF8 = 0o40000

const openMaster = library.func('int posix_openpt(int)') as (flags: number) => number
const grant = library.func('int grantpt(int)') as (fd: number) => number
const unlock = library.func('int unlockpt(int)') as (fd: number) => number
const getAttributes = library.func('int tcgetattr(int, void*)') as (fd: number, termios: Uint8Array) => number
const setAttributes = library.func('int tcsetattr(int, int, void*)') as (
  fd: number,
  when: number,
  termios: Uint8Array,
) => number
const read = library.func('long read(int, void*, size_t)') as (
  fd: number,
  octets: Uint8Array,
  size: number,
) => number
const write = library.func('long write(int, void*, size_t)') as typeof read

export interface PtyEvents {
  /** What programs show; of the terminal, valid during the call. */
  shown(octets: Uint8Array): void
  /** All that was typed has been taken. */
  room(): void
}

export class Pty {
  /** The terminal of programs, open as long as this is: its end is not that of the last of them. Theirs to duplicate. */
  readonly slave: number
  readonly #master: number
  readonly #watcher: Watcher
  readonly #events: PtyEvents
  readonly #memory = Buffer.alloc(READ_OCTETS)
  #typed: Buffer = NOTHING

  /** @throws SystemError */
  constructor(events: PtyEvents) {
    this.#events = events
    this.#master = openMaster(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    if (this.#master < 0)
      throw libc.systemError('cannot make a pseudo-terminal', {
        [libc.ENOENT]: 'there is no /dev/ptmx; mount devpts on /dev/pts',
      })
    if (grant(this.#master) < 0 || unlock(this.#master) < 0) throw this.#failure()
    // By its descriptor, not by its name, which another devpts may have, too.
    this.slave = libc.ioctlValue(this.#master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)
    if (this.slave < 0) throw this.#failure()
    eraseCharacters(this.slave)
    this.#watcher = new Watcher(this.#master, (ready) => {
      if (ready & WRITABLE) this.#writeTyped()
      if (ready & READABLE) this.#read()
    })
    this.#watcher.watch(READABLE)
  }

  /** Octets of what was typed that no program has had room for. */
  get waiting(): number {
    return this.#typed.length
  }

  /** What somebody types. It waits until there is room for it; how much may wait is the caller's to bound. */
  write(octets: Uint8Array): void {
    this.#typed = Buffer.concat([this.#typed, octets])
    this.#writeTyped()
  }

  /** Forgets what was typed and waits. */
  discard(): void {
    this.#typed = NOTHING
    this.#watcher.watch(READABLE)
    this.#events.room()
  }

  /** Programs are told of it by SIGWINCH. */
  resize(columns: number, rows: number): void {
    libc.ioctl(this.#master, TIOCSWINSZ, new Uint8Array(Uint16Array.of(rows, columns, 0, 0).buffer))
  }

  /** Programs that still have it get SIGHUP, or an end of file. */
  close(): void {
    libc.close(this.slave)
    this.#watcher.close(() => libc.close(this.#master))
  }

  #read(): void {
    for (let i = 0; i < READS_AT_ONCE; i++) {
      const length = read(this.#master, this.#memory, READ_OCTETS)
      if (length <= 0) return
      this.#events.shown(this.#memory.subarray(0, length))
    }
  }

  #writeTyped(): void {
    const had = this.#typed.length
    while (this.#typed.length > 0) {
      const written = write(this.#master, this.#typed, this.#typed.length)
      if (written <= 0) break
      this.#typed = this.#typed.subarray(written)
    }
    this.#watcher.watch(this.#typed.length > 0 ? READABLE | WRITABLE : READABLE)
    if (had > 0 && this.#typed.length === 0) this.#events.room()
  }

  #failure(): SystemError {
    const error = libc.systemError('cannot open the other end of a pseudo-terminal')
    libc.close(this.#master)
    return error
  }
}

/** Backspace is to take back a character of UTF-8, not an octet. */
function eraseCharacters(terminal: number): void {
  const termios = new Uint8Array(TERMIOS)
  if (getAttributes(terminal, termios) < 0) return
  putU32le(termios, 0, u32le(termios, 0) | IUTF8)
  setAttributes(terminal, 0, termios)
}
