/** The MTU of the path to the hub, as TCP has found it. */
import { type Check, type Finding, ok, unknown, warning } from '#agent/doctor/finding.ts'
import { connectionOf } from '#agent/doctor/patient.ts'

const ETHERNET = 1500
/** The least of IPv6 (RFC 8200 §5), which every tunnel should keep. */
const LEAST = 1280

/**
 * @param octets  undefined: the system does not tell
 * @param blackHole  what was seen of large packets that are lost on the way
 */
export function judgePathMtu(octets: number | undefined, blackHole?: string): Finding {
  const facts = { pathMtuOctets: octets ?? null, losesLargePackets: blackHole !== undefined }
  if (blackHole !== undefined)
    return warning(
      blackHole,
      'have ICMP "fragmentation needed" let through, or lower the MTU of the interface',
      facts,
    )
  if (octets === undefined) return unknown('the system does not tell', 'ping -M do -s 1472 HUB tries it')
  if (octets >= ETHERNET) return ok(`${octets}`, facts)
  if (octets >= LEAST)
    return ok(
      `${octets}: a tunnel or PPPoE is on the way; the frames bridged may be longer all the same`,
      facts,
    )
  return warning(
    `${octets}: less than any path should have`,
    'look for a tunnel within a tunnel, or a wrong MTU: ip route get HUB, ip link, tracepath HUB',
    facts,
  )
}

export const pathMtuCheck: Check = {
  name: 'path-mtu',
  title: 'path MTU',
  needs: ['login'],
  run: async (patient) => {
    const { pathMtu } = await patient.system()
    const { blackHole } = await patient.dialling()
    return judgePathMtu(pathMtu((await connectionOf(patient)).socket), blackHole)
  },
}
