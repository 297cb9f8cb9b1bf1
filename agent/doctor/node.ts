/** Whether this Node is one that the package supports (`engines` of package.json). */
import { type Check, type Finding, failed, ok } from '#agent/doctor/finding.ts'

/** Of each supported major version, the least minor one; later majors are all taken. */
const LEAST: Readonly<Record<number, number>> = { 20: 19, 22: 13 }
const ALL_FROM = 24

export function judgeNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const least = LEAST[major]
  if (major >= ALL_FROM || (least !== undefined && minor >= least)) return ok(version, { version })
  return failed(
    `${version} is not supported`,
    'install Node 20.19, 22.13 or 24, or later ones of these (nodejs.org, or your distribution)',
    { version },
  )
}

export const nodeCheck: Check = {
  name: 'node',
  title: 'Node.js',
  needs: [],
  run: () => judgeNode(process.versions.node),
}
