/** Names of devices' interfaces: as a topology has them, and as Linux takes them (ip-link(8), `dev_valid_name`). */

const NAME = /^[a-z][a-z0-9/:.-]{0,31}$/
const LONGEST_IN_LINUX = 15
/** Linux has these itself, `all` and `default` in /proc/sys/net. */
const TAKEN: readonly string[] = ['lo', 'all', 'default']

/** `ge-0/0/1` is `ge-0-0-1` there. */
export const linuxName = (name: string): string => name.replaceAll(/[/:]/g, '-')

/** @returns why an interface cannot have this name, or undefined */
export function interfaceNameFault(name: string): string | undefined {
  if (!NAME.test(name)) return `"${name.slice(0, 80)}" cannot be an interface's name`
  if (name.length > LONGEST_IN_LINUX)
    return `"${name}" is too long for an interface's name: at most ${LONGEST_IN_LINUX} characters`
  return TAKEN.includes(name) ? `"${name}" is a name that Linux keeps for itself` : undefined
}
