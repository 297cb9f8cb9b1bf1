/** `hconnect restore`: puts interfaces back that a killed hconnect or hub left changed. */
import { EXIT_NO_NIC, EXIT_NO_PRIVILEGE, EXIT_OTHER, ExitError } from '#agent/exit-codes.ts'
import type { Output } from '#agent/output.ts'
import { reasonOf } from '#net/base/errors.ts'
import { errnoOf } from '#net/base/unknown.ts'
import { canonicalName, linkIndex } from '#net/port/nic/link.ts'
import { type Restored, restoreNics } from '#net/port/nic/restore.ts'

/**
 * @param nic  one interface; undefined: all
 * @throws ExitError when one is still bridged, could not be put back, or does not exist
 */
export function restore(nic: string | undefined, output: Output): void {
  if (nic !== undefined && linkIndex(nic) === 0)
    throw new ExitError(
      EXIT_NO_NIC,
      `cannot restore ${nic}: there is no such interface; \`ip link\` lists them`,
    )
  const restored = attempt(() => restoreNics(nic && canonicalName(nic), output.log))
  for (const { name, done, heldBy, failures } of restored) {
    if (heldBy.length > 0 || (failures.length > 0 && done.length === 0)) continue
    output.text(`${name}: ${done.join(', ') || 'is as it was'}\n`)
    output.event('restored', { nic: name, done })
  }
  if (restored.length === 0) output.text('nothing to restore\n')
  const problems = restored.flatMap(problemOf)
  if (problems.length === 0) return
  const isRefused = restored.some(({ failures }) => failures.some(isRefusal))
  throw new ExitError(isRefused ? EXIT_NO_PRIVILEGE : EXIT_OTHER, problems.join('; '))
}

function problemOf({ name, heldBy, failures }: Restored): string[] {
  if (heldBy.length > 0)
    return [`${name} is bridged by process ${heldBy.join(', ')}, which restores it as it ends`]
  return failures.length > 0 ? [`cannot restore ${name}: ${failures.map(reasonOf).join(', ')}`] : []
}

const isRefusal = (error: unknown): boolean => ['EACCES', 'EPERM'].includes(errnoOf(error))

function attempt<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    const isRefused = isRefusal(error)
    const reason = `cannot restore: ${reasonOf(error)}${isRefused ? ' (run as root)' : ''}`
    throw new ExitError(isRefused ? EXIT_NO_PRIVILEGE : EXIT_OTHER, reason, { cause: error })
  }
}
