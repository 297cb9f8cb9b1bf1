/** Why a device's process got no namespaces of its own, for people: what unshare(1) said, and what the machine is set to. */
import { readFileSync } from 'node:fs'

type Setting = (path: string) => string | undefined

interface Remedy {
  /** Below /proc/sys. */
  readonly path: string
  readonly refuses: string
  readonly remedy: string
}

const REMEDIES: readonly Remedy[] = [
  {
    path: 'user/max_user_namespaces',
    refuses: '0',
    remedy: 'this machine allows none: sysctl -w user.max_user_namespaces=10000',
  },
  {
    path: 'kernel/unprivileged_userns_clone',
    refuses: '0',
    remedy:
      'this machine leaves them to root: run the hub as root, or sysctl -w kernel.unprivileged_userns_clone=1',
  },
  {
    path: 'kernel/apparmor_restrict_unprivileged_userns',
    refuses: '1',
    remedy:
      'AppArmor leaves them to root: run the hub as root, or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  },
]
const ELSE =
  'the hub itself may run in a container, or as a service that may not make them: RestrictNamespaces=no in systemd'

/** @param words  what a device's process said last; undefined: that was about something else */
export function namespaceProblem(words: string, setting: Setting = machineSetting): string | undefined {
  const missing = /(?:exec: |failed to execute )(unshare|setpriv): (?:not found|No such file)/.exec(
    words,
  )?.[1]
  if (missing !== undefined) return `cannot make namespaces: no such program ${missing} (install util-linux)`
  const said = /^unshare: (?:unshare failed|cannot .*|write failed .*|.* failed.*): (.+)$/.exec(words)?.[1]
  if (said === undefined) return undefined
  const known = REMEDIES.find(({ path, refuses }) => setting(path) === refuses)
  return `cannot make namespaces: ${said.toLowerCase()} (${known?.remedy ?? ELSE})`
}

function machineSetting(path: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${path}`, 'utf8').trim()
  } catch {
    return undefined // a kernel without that setting
  }
}
