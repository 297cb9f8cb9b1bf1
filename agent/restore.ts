/** `hconnect restore`: puts interfaces back that a killed hconnect or hub left changed. */
import { EXIT_NO_NIC, EXIT_NO_PRIVILEGE, EXIT_OTHER, ExitError } from '#agent/exit-codes.ts'
import type { Output } from '#agent/output.ts'
import { reasonOf } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { canonicalName, linkIndex } from '#net/port/nic/link.ts'
import { restoreNics } from '#net/port/nic/restore.ts'

/** @param nic  one interface; undefined: all. @throws ExitError when one is still bridged, or does not exist */
export function restore(nic: string | undefined, output: Output): void {
  if (nic !== undefined && linkIndex(nic) === 0)
    throw new ExitError(
      EXIT_NO_NIC,
      `cannot restore ${nic}: there is no such interface; \`ip link\` lists them`,
    )
  const restored = attempt(() => restoreNics(nic && canonicalName(nic), output.log))
  for (const { name, done, heldBy } of restored) {
    if (heldBy.length > 0) continue
    output.text(`${name}: ${done.join(', ') || 'is as it was'}\n`)
    output.event('restored', { nic: name, done })
  }
  if (restored.length === 0) output.text('nothing to restore\n')
  const held = restored.filter(({ heldBy }) => heldBy.length > 0)
  if (held.length > 0)
    throw new ExitError(
      EXIT_OTHER,
      held
        .map(
          ({ name, heldBy }) =>
            `${name} is bridged by process ${heldBy.join(', ')}, which restores it as it ends`,
        )
        .join('; '),
    )
}

function attempt<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    const isRefused = ['EACCES', 'EPERM'].includes(errnoOf(error))
    const reason = `cannot restore: ${reasonOf(error)}${isRefused ? ' (run as root)' : ''}`
    throw new ExitError(isRefused ? EXIT_NO_PRIVILEGE : EXIT_OTHER, reason, { cause: error })
  }
}
