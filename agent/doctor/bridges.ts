/** Which bridges of the hub the user may join, and whether the wanted ones are among them. */
import { type Check, type Finding, failed, ok, warning } from '#agent/doctor/finding.ts'
import { connectionOf } from '#agent/doctor/patient.ts'
import { excerpt } from '#agent/excerpt.ts'

/** @param wanted  empty: none is asked for */
export function judgeBridges(names: readonly string[], wanted: readonly string[], user: string): Finding {
  const bridges = names.map((name) => excerpt(name))
  const missing = wanted.filter((name) => !bridges.includes(name))
  const facts = { bridges, wanted }
  if (bridges.length === 0 && wanted.length === 0)
    return warning(
      `${user} may join none`,
      'the operator of the hub makes them: hybridge serve --bridge',
      facts,
    )
  const text = bridges.join(', ') || 'none'
  if (missing.length > 0)
    return failed(
      `${user} may not join ${missing.join(', ')}; may join: ${text}`,
      '-b NAME, or --map VLAN=NAME, with one of these',
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
    return judgeBridges(names, patient.bridges, patient.target?.user ?? '')
  },
}
