/** How much one connection may have under way, as far as this end's socket buffers decide it. */
import { type Check, type Finding, ok, warning } from '#agent/doctor/finding.ts'
import { connectionOf } from '#agent/doctor/patient.ts'
import type { BufferLimits } from '#net/tunnel/buffer-bound.ts'

/** What a path may be thought to carry, bits a millisecond: 1 Gbit/s. */
const FAST = 1e6

/**
 * @param roundTripMs  of the path
 * @param isSingle  no further connection is to be opened
 */
export function judgeBuffers(
  { sendOctets, receiveOctets }: BufferLimits,
  roundTripMs: number,
  isSingle: boolean,
): Finding {
  const facts = { sendOctets: known(sendOctets), receiveOctets: known(receiveOctets) }
  const rate = (8 * Math.min(sendOctets, receiveOctets)) / roundTripMs
  const text = `${mib(sendOctets)} to send and ${mib(receiveOctets)} to receive`
  if (rate >= FAST) return ok(text, facts)
  const bound = `${text}: up to ${Math.round(rate / 1000)} Mbit/s on one connection`
  if (!isSingle) return ok(`${bound}; where that is used up, further ones are opened`, facts)
  return warning(
    bound,
    'leave --connections 1 out; or give this program CAP_NET_ADMIN; or raise the last number of net.ipv4.tcp_wmem and tcp_rmem',
    facts,
  )
}

const known = (octets: number): number | null => (octets === Infinity ? null : octets)
const mib = (octets: number): string =>
  octets === Infinity ? 'enough' : `${(octets / 2 ** 20).toFixed(1)} MiB`

export const buffersCheck: Check = {
  name: 'buffers',
  title: 'buffers',
  needs: ['login'],
  run: async (patient) => {
    const { bufferLimits } = await patient.system()
    const { args, config } = patient
    const isSingle = (args.connections ?? config.connections) === 1
    return judgeBuffers(bufferLimits('begun'), (await connectionOf(patient)).roundTripMs, isSingle)
  },
}
