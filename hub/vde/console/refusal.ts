/** Status lines: `1000 Success`, or 1 and the number of a Linux error, with its usual text and perhaps ours after it. */

export const SUCCESS = '1000 Success'
export const END_OF_SESSION = '9999 END OF SESSION'

const ERRORS = {
  EPERM: [1, 'Operation not permitted'],
  ENOENT: [2, 'No such file or directory'],
  EIO: [5, 'Input/output error'],
  ENXIO: [6, 'No such device or address'],
  EEXIST: [17, 'File exists'],
  ENODEV: [19, 'No such device'],
  EINVAL: [22, 'Invalid argument'],
  EMFILE: [24, 'Too many open files'],
  ENOSPC: [28, 'No space left on device'],
  ENOSYS: [38, 'Function not implemented'],
  EADDRINUSE: [98, 'Address already in use'],
} as const
export type ErrorName = keyof typeof ERRORS

/** @param why  for people, where the error's name does not say it all: one line */
export function errorStatus(name: ErrorName, why = ''): string {
  const [number, text] = ERRORS[name]
  return `1${String(number).padStart(3, '0')} ${text}${why === '' ? '' : `: ${why}`}`
}

/** A command that is not carried out; what it says is its status line. */
export class Refusal extends Error {
  constructor(name: ErrorName, why = '') {
    super(errorStatus(name, why))
  }
}
