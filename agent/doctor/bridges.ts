/** Which bridges of the hub the user may join, and whether the wanted ones are among them. */
import { type Check, type Finding, failed, ok, warning } from '#agent/doctor/finding.ts'
import { connectionOf } from '#agent/doctor/patient.ts'
import { excerpt } from '#agent/excerpt.ts'

export interface WantedBridge {
  readonly name: string
  /** Why the hub does not let the user join it; undefined when it does. */
  readonly refusal: string | undefined
}

/** @param wanted  empty: none is asked for */
export function judgeBridges(
  names: readonly string[],
  wanted: readonly WantedBridge[],
  user: string,
): Finding {
  const bridges = names.map((name) => excerpt(name))
  const refused = wanted.filter(({ refusal }) => refusal !== undefined)
  const facts = { bridges, wanted: wanted.map(({ name }) => name) }
  if (bridges.length === 0 && wanted.length === 0)
    return warning(
      `${user} may join none`,
      'the operator of the hub makes them: hybridge serve --bridge',
      facts,
    )
  const text = bridges.join(', ') || 'none'
  if (refused.length > 0)
    return failed(
      `${user} may not join ${refused.map(({ name, refusal }) => `${name} (${refusal})`).join(', ')}; may join: ${text}`,
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
    const { listBridges, refusalOfBridge } = await patient.system()
    const hub = await connectionOf(patient)
    const names = (await listBridges(hub)).map(({ name }) => name)
    const wanted: WantedBridge[] = []
    for (const name of patient.bridges) wanted.push({ name, refusal: await refusalOfBridge(hub, name) })
    return judgeBridges(names, wanted, patient.target?.user ?? '')
  },
}
