/** The state of all links in one line, for the service manager. */
import type { LinkStatus } from '#agent/service/link-status.ts'

/** `3 links: 2 connected; lab2 failed: cannot open eth2: ...` */
export function summary(links: readonly LinkStatus[]): string {
  const connected = links.filter(({ state }) => state === 'connected').length
  const others = links
    .filter(({ state }) => state !== 'connected')
    .map(({ name, state, reason }) => `${name} ${state}${reason === '' ? '' : `: ${reason}`}`)
  const count = `${links.length} link${links.length === 1 ? '' : 's'}: ${connected} connected`
  return [count, ...others].join('; ')
}
