/** Whether ssh2 has its native cryptography: without it AES-GCM takes five times the processor's time. */
import { packageDirectory } from '#agent/doctor/package-directory.ts'
import { type Check, type Finding, failed, ok, warning } from '#agent/doctor/finding.ts'
import { reasonOf } from '#net/base/errors.ts'

/** @param isNative  a text: why ssh2 itself cannot be loaded */
export function judgeSshCrypto(isNative: boolean | string, directory: string): Finding {
  if (isNative === true) return ok('ssh2 has its native cryptography (sshcrypto)')
  if (isNative === false)
    return warning(
      'the native binding sshcrypto of ssh2 is missing: encryption takes five times the processor time',
      `on Debian apt-get install g++ make python3; then in ${directory}: npm rebuild ssh2`,
    )
  return failed(`ssh2 cannot be loaded: ${isNative.split('\n', 1)[0] ?? ''}`, `in ${directory}: npm install`)
}

async function loadedCrypto(): Promise<boolean | string> {
  try {
    return (await import('ssh2/lib/protocol/crypto.js')).default.bindingAvailable
  } catch (error) {
    return reasonOf(error)
  }
}

export const sshCryptoCheck: Check = {
  name: 'ssh-crypto',
  title: 'ssh2',
  needs: [],
  run: async () => judgeSshCrypto(await loadedCrypto(), packageDirectory()),
}
