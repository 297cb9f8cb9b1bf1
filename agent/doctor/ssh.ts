/** Whether SSH answers at the hub's port, and with what it encrypts. */
import { type Check, type Finding, failed, ok, warning } from '#agent/doctor/finding.ts'
import { excerpt } from '#agent/excerpt.ts'
import type { SshNegotiated } from '#agent/login/negotiated.ts'

export function judgeSsh(negotiated: SshNegotiated | undefined, failure: string): Finding {
  if (negotiated === undefined)
    return failed(failure, 'something else may listen there: nc HOST PORT shows SSH-2.0-Hybridge from a hub')
  const { software, cipher, kex, hostKeyAlgorithm, isStrict } = negotiated
  const facts = { software: excerpt(software, 80), cipher, kex, hostKeyAlgorithm, isStrict }
  const text =
    `${excerpt(software, 80)}: ${cipher}, ${kex}, ${hostKeyAlgorithm}` +
    (isStrict ? ', strict key exchange' : ', without strict key exchange')
  if (!cipher.includes('gcm'))
    return warning(`${text}; only AES-GCM is fast`, 'allow aes128-gcm@openssh.com at the hub', facts)
  return ok(text, facts)
}

export const sshCheck: Check = {
  name: 'ssh',
  title: 'SSH',
  needs: ['host-key'],
  run: async (patient) => {
    const dialling = await patient.dialling()
    return judgeSsh(await dialling.negotiated, dialling.failure?.message ?? 'no SSH')
  },
}
