/** Whether koffi, through which system calls are made, can be loaded: without it no interface can be bridged. */
import { packageDirectory } from '#agent/doctor/package-directory.ts'
import { type Check, type Finding, failed, ok } from '#agent/doctor/finding.ts'
import { reasonOf } from '#net/base/errors.ts'

/** @param problem  why it cannot be loaded; undefined: it can */
export function judgeKoffi(problem: string | undefined, directory: string): Finding {
  if (problem === undefined) return ok('the native binding is loaded')
  return failed(
    `the native binding koffi cannot be loaded: ${problem.split('\n', 1)[0] ?? ''}`,
    `in ${directory}: npm install (again, with scripts allowed); or npm rebuild koffi`,
  )
}

async function problemOf(): Promise<string | undefined> {
  try {
    await import('koffi')
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

export const koffiCheck: Check = {
  name: 'koffi',
  title: 'koffi',
  needs: [],
  run: async () => judgeKoffi(await problemOf(), packageDirectory()),
}
