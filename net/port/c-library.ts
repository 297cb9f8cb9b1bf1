/** The C library of Linux. Elsewhere its functions are there and refuse, so that what needs none of them can run. */
import koffi, { type LibraryHandle } from 'koffi'
import { SystemError } from '#net/base/errors.ts'

export const hasLibc = process.platform === 'linux'

type KoffiFunction = ReturnType<LibraryHandle['func']>

/** Arguments and result are for the caller to say. */
type CFunction = (...args: Parameters<KoffiFunction>) => ReturnType<KoffiFunction>

interface Library {
  /** @param prototype  as C has it */
  func(prototype: string): CFunction
}

export const libc: Library = hasLibc
  ? koffi.load('libc.so.6')
  : {
      func: (prototype) => () => {
        throw new SystemError('ENOSYS', `cannot call ${prototype}: this system is not Linux`)
      },
    }
