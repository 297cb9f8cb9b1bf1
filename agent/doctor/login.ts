/** Whether the hub takes the user. */
import { type Check, type Finding, failed, ok } from '#agent/doctor/finding.ts'

export function judgeLogin(user: string, failure: string | undefined): Finding {
  if (failure === undefined) return ok(`the hub takes ${user}`, { user })
  return failed(
    failure,
    `at the hub: hybridge user list, hybridge user key list ${user}; here the right key: --identity FILE`,
    { user },
  )
}

export const loginCheck: Check = {
  name: 'login',
  title: 'login',
  needs: ['keys', 'ssh'],
  run: async (patient) => {
    const dialling = await patient.dialling()
    const connection = await dialling.connected
    const user = patient.target?.user ?? ''
    return judgeLogin(user, connection === undefined ? (dialling.failure?.message ?? 'no answer') : undefined)
  },
}
