/** Whether the interface is Wi-Fi: a station gets nothing across for other machines (IEEE 802.11, three addresses). */
import { type Check, type Finding, failed, ok, unknown } from '#agent/doctor/finding.ts'

/** @param isWireless  undefined: /sys is that of another network namespace */
export function judgeWireless(isWireless: boolean | undefined): Finding {
  if (isWireless === undefined)
    return unknown(
      '/sys does not show the interface: whether it is Wi-Fi is not known',
      'enter its network namespace with `ip netns exec`, which brings its /sys',
    )
  if (!isWireless) return ok('it is not', { isWireless })
  return failed(
    'it is Wi-Fi: access points drop frames from addresses other than its own',
    'bridge an interface with a cable',
    { isWireless },
  )
}

export const wirelessCheck: Check = {
  name: 'wireless',
  title: 'Wi-Fi',
  needs: ['nic'],
  run: async ({ nic, system }) => judgeWireless((await system()).surroundings(nic).isWireless),
}
