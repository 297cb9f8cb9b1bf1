/** Whether the hub's host key is the one that is known. */
import { type Check, type Finding, failed, ok } from '#agent/doctor/finding.ts'
import { EXIT_HOST_KEY, type ExitError } from '#agent/exit-codes.ts'
import { excerpt } from '#agent/excerpt.ts'

/** @param software  how the hub's SSH names itself; undefined: it said nothing that is SSH */
export function judgeHostKey(
  software: string | undefined,
  isAccepted: boolean,
  failure: Pick<ExitError, 'exitCode' | 'message'> | undefined,
): Finding {
  const name = software === undefined ? null : excerpt(software, 80)
  if (isAccepted) return ok('known, and the right one', { software: name, known: true })
  const message = failure?.message ?? 'the key exchange came to no end'
  if (failure?.exitCode !== EXIT_HOST_KEY)
    return failed(
      message,
      software === undefined
        ? 'something else than a hub may listen there: nc HOST PORT shows SSH-2.0-Hybridge from a hub'
        : 'look into the log of the hub',
      { software: name, known: null },
    )
  return failed(
    message,
    'compare with ssh-keygen -lf ssh_host_ed25519_key in the data directory of the hub; if it is the same: --accept-new, with no other key of this hub in known_hosts',
    { software: name, known: false },
  )
}

export const hostKeyCheck: Check = {
  name: 'host-key',
  title: 'host key',
  needs: ['passage'],
  run: async (patient) => {
    const dialling = await patient.dialling()
    const software = await dialling.greeted
    return judgeHostKey(software, (await dialling.negotiated) !== undefined, dialling.failure)
  },
}
