/** Whether the package `cap` can be loaded, which `--driver pcap` needs and nothing else. */
import { type Check, type Finding, failed, ok } from '#agent/doctor/finding.ts'
import { packageDirectory } from '#agent/doctor/package-directory.ts'
import { type Driver, settleDriver } from '#agent/options.ts'
import { reasonOf } from '#net/base/errors.ts'

/** @param problem  why it cannot be loaded; undefined: it can */
export function judgeCap(driver: Driver, problem: string | undefined, directory: string): Finding {
  if (driver !== 'pcap') return ok('not needed: the driver is packet', { driver })
  if (problem === undefined) return ok('the package cap is loaded', { driver })
  return failed(
    `the package cap cannot be loaded: ${problem.split('\n', 1)[0] ?? ''}`,
    `on Debian apt-get install g++ make python3 libpcap-dev; then in ${directory}: npm install, or npm rebuild cap`,
    { driver },
  )
}

async function problemOf(): Promise<string | undefined> {
  try {
    await import('cap')
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

export const capCheck: Check = {
  name: 'cap',
  title: 'libpcap',
  needs: [],
  run: async ({ args, config }) => {
    const driver = settleDriver(args, config)
    return judgeCap(driver, driver === 'pcap' ? await problemOf() : undefined, packageDirectory())
  },
}
