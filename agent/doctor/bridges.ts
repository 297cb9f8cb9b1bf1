/** Which bridges of the hub the user may join, and whether the wanted one is among them. */
import { type Check, type Finding, failed, ok, warning } from '#agent/doctor/finding.ts'
import { connectionOf } from '#agent/doctor/patient.ts'
import { printable } from '#agent/printable.ts'

/** @param wanted  undefined: none is asked for */
export function judgeBridges(names: readonly string[], wanted: string | undefined, user: string): Finding {
  const bridges = names.map((name) => printable(name))
  const facts = { bridges, wanted: wanted ?? null }
  if (bridges.length === 0)
    return warning(
      `${user} may join none`,
      `at the hub give ${user} a bridge (hybridge bridge, hybridge user)`,
      facts,
    )
  const text = bridges.join(', ')
  if (wanted !== undefined && !bridges.includes(wanted))
    return failed(
      `${wanted} is not among those that ${user} may join: ${text}`,
      '-b NAME with one of these',
      facts,
    )
  return ok(text, facts)
}

export const bridgesCheck: Check = {
  name: 'bridges',
  title: 'bridges',
  needs: ['login'],
  run: async (patient) => {
    const { listBridges } = await patient.system()
    const names = (await listBridges(await connectionOf(patient))).map(({ name }) => name)
    return judgeBridges(names, patient.args.bridge ?? patient.config.bridge, patient.target?.user ?? '')
  },
}
