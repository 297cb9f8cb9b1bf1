/** Whether what is on the way to the hub, proxies, jump hosts, a WebSocket, lets us through. */
import { type Check, type Finding, failed, ok } from '#agent/doctor/finding.ts'

/** @param failure  undefined: it does */
export function judgePassage(steps: readonly string[], failure: string | undefined): Finding {
  const facts = { steps }
  if (failure !== undefined)
    return failed(
      failure,
      'do as it says, or ask whoever runs it to let TCP to the port of the hub through; or take another way: --proxy, --jump',
      facts,
    )
  return ok(steps.length === 0 ? 'nothing is on the way' : `passed ${steps.join(', ')}`, facts)
}

export const passageCheck: Check = {
  name: 'passage',
  title: 'passage',
  needs: ['reach'],
  run: async (patient) => {
    const { steps } = await patient.hub()
    const dialling = await patient.dialling()
    const isThrough = await dialling.arrived
    return judgePassage(steps, isThrough ? undefined : (dialling.failure?.message ?? 'no answer'))
  },
}
