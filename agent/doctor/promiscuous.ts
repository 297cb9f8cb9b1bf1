/** Whether frames to and from foreign addresses really pass the interface, as far as this machine can see it. */
import { type Check, type Finding, failed, ok, skipped, unknown } from '#agent/doctor/finding.ts'

export interface PromiscuousFacts {
  readonly name: string
  /** Its own, `02:00:00:00:00:01`. */
  readonly address: string
  /** The interface is up and has a carrier. */
  readonly isUsable: boolean
  /** A frame of the LAN's own for another address came in meanwhile. */
  readonly hasHeardForeign: boolean
  /** Another interface of this machine that hears what this one sends; undefined: none does. */
  readonly peer: string | undefined
  /** Of the frame from and to addresses that nobody has: the peer heard it. */
  readonly hasSentForeign: boolean
  /** And this one heard the answer, to another such address. */
  readonly hasReceivedForeign: boolean
}

export function judgePromiscuous(seen: PromiscuousFacts): Finding {
  const { name, address, peer, hasHeardForeign, hasSentForeign, hasReceivedForeign } = seen
  const facts = { peer: peer ?? null, hasHeardForeign, hasSentForeign, hasReceivedForeign }
  if (!seen.isUsable) return skipped('not looked at: needs the interface up, with a carrier')
  if (peer !== undefined && !hasSentForeign)
    return failed(
      `${peer} hears ${name}, but no frame from a foreign address: something on the way drops it`,
      'in a virtual machine allow forged transmits (see hypervisor); at a switch look for port security',
      facts,
    )
  if (peer !== undefined && !hasReceivedForeign && !hasHeardForeign)
    return failed(
      `${name} hears ${peer}, but no frame to a foreign address: promiscuous mode does not work`,
      'in a virtual machine allow promiscuous mode (see hypervisor); else try another interface',
      facts,
    )
  if (peer !== undefined)
    return ok(`works: frames from and to foreign addresses passed between ${name} and ${peer}`, facts)
  if (hasHeardForeign) return ok('works: frames for other addresses come in', facts)
  return unknown(
    `cannot tell: no frame for another address came in, and no other interface of this machine hears ${name}`,
    'let two machines of the LAN talk (ping) behind the same port as this one, and look for their frames: ' +
      `tcpdump -eni ${name} not ether host ${address}`,
    facts,
  )
}

export const promiscuousCheck: Check = {
  name: 'promiscuous',
  title: 'promiscuous',
  needs: ['nic', 'privilege'],
  run: async (patient) => {
    const facts = await (await patient.system()).tryPromiscuous(patient.nic)
    patient.seesForeign = facts.hasHeardForeign
    return judgePromiscuous(facts)
  },
}
