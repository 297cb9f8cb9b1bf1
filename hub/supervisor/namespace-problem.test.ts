import { expect, it } from 'vitest'
import { namespaceProblem } from '#hub/supervisor/namespace-problem.ts'

const none = (): undefined => undefined
const set = (name: string, value: string) => (path: string) => (path === name ? value : undefined)

it('names the setting that forbids namespaces, and how to change it', () => {
  const words = 'unshare: unshare failed: No space left on device'
  expect(namespaceProblem(words, set('user/max_user_namespaces', '0'))).toBe(
    'cannot make namespaces: no space left on device (this machine allows none: sysctl -w user.max_user_namespaces=10000)',
  )
  expect(
    namespaceProblem(
      'unshare: cannot change root filesystem propagation: Permission denied',
      set('kernel/apparmor_restrict_unprivileged_userns', '1'),
    ),
  ).toMatch(/^cannot make namespaces: permission denied \(AppArmor leaves them to root: /)
  expect(
    namespaceProblem('unshare: unshare failed: Operation not permitted', (path) =>
      path === 'kernel/unprivileged_userns_clone' ? '0' : '1000',
    ),
  ).toMatch(/^cannot make namespaces: operation not permitted \(this machine leaves them to root: /)
})

it('says what else it can be when no setting forbids them', () => {
  const words = 'unshare: write failed /proc/self/uid_map: Operation not permitted'
  expect(namespaceProblem(words, none)).toMatch(
    /^cannot make namespaces: .*RestrictNamespaces=no in systemd\)$/,
  )
})

it('names the program that is missing', () => {
  for (const words of [
    'sh: 1: exec: unshare: not found',
    'setpriv: failed to execute unshare: No such file or directory',
  ])
    expect(namespaceProblem(words, none)).toBe(
      'cannot make namespaces: no such program unshare (install util-linux)',
    )
})

it('leaves other last words alone', () => {
  for (const words of ['', 'cannot mount proc on proc', 'stopping'])
    expect(namespaceProblem(words, none)).toBeUndefined()
})
