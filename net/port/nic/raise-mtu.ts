/** Raises an interface's MTU as far as its driver goes. Whenever this process is killed, the record tells what it was. */
import { reasonOf } from '#net/base/errors.ts'
import { type MtuGoal, mtuSteps } from '#net/port/nic/mtu.ts'
import type { NicRecord } from '#net/port/nic/record.ts'

/** The MTU of one interface, in octets. */
export interface MtuSetting {
  get(): number
  /** @throws Error when the driver does not take it */
  set(mtu: number): void
}

/**
 * @param record  its `mtu` is changed; one that it has is known to be the interface's
 * @param save  keeps the record
 * @returns why the driver refused more; empty when it did not
 */
export function raiseMtu(
  record: Pick<NicRecord, 'mtu'>,
  goal: MtuGoal,
  setting: MtuSetting,
  save: () => void,
): string {
  const found = record.mtu
  const now = setting.get()
  const before = found?.before ?? now
  let refusal = ''
  for (const step of mtuSteps(goal, now)) {
    // Until the driver takes it, the interface has what an earlier bridge set, if one did.
    record.mtu = { before, set: found === undefined ? [step] : [now, step] }
    save()
    try {
      setting.set(step)
    } catch (error) {
      refusal ||= reasonOf(error)
      continue
    }
    // Drivers may take another one than they are told.
    record.mtu = { before, set: [setting.get()] }
    save()
    return refusal
  }
  record.mtu = found
  save()
  return refusal
}
