/** Whether this process may open the interface and set it up: capabilities(7), as /proc/self/status tells them. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

import { type Check, type Finding, failed, ok, unknown } from '#agent/doctor/finding.ts'
import { containerOf } from '#agent/doctor/container.ts'

const NEEDED: Readonly<Record<string, number>> = { CAP_NET_ADMIN: 12, CAP_NET_RAW: 13 }

interface Privilege {
  readonly uid: number
  readonly effective: bigint
  /** What may ever be gained. */
  readonly bounding: bigint
  /** Executing a program gives no more rights: file capabilities and sudo do nothing. */
  readonly noNewPrivileges: boolean
}

/** Undefined when the text is not that of /proc/PID/status. */
export function parsePrivilege(status: string): Privilege | undefined {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:\\s+([0-9a-f]+)`, 'm').exec(status)?.[1]
  const uid = field('Uid')
  const effective = field('CapEff')
  const bounding = field('CapBnd')
  if (uid === undefined || effective === undefined || bounding === undefined) return undefined
  return {
    uid: Number(uid),
    effective: BigInt(`0x${effective}`),
    bounding: BigInt(`0x${bounding}`),
    noNewPrivileges: field('NoNewPrivs') === '1',
  }
}

const lacking = (set: bigint): string[] =>
  Object.keys(NEEDED).filter((name) => ((set >> BigInt(NEEDED[name] ?? 0)) & 1n) === 0n)

/** @param program  the executable that would be given file capabilities */
export function judgePrivilege(
  privilege: Privilege | undefined,
  container: string | undefined,
  program: string,
): Finding {
  if (privilege === undefined)
    return unknown('/proc/self/status does not tell the capabilities', 'try as root, with sudo')
  const { uid, effective, bounding, noNewPrivileges } = privilege
  const user = uid === 0 ? 'root' : `user ${uid}`
  const missing = lacking(effective)
  const facts = { uid, missing, noNewPrivileges }
  if (missing.length === 0) return ok(`${user}, with CAP_NET_ADMIN and CAP_NET_RAW`, facts)
  const found = `${user}, without ${missing.join(' and ')}`
  if (lacking(bounding).length > 0)
    return failed(
      `${found}; they cannot be gained here`,
      container === undefined
        ? 'whatever started this took them away: in a systemd unit see CapabilityBoundingSet='
        : 'start the container with --cap-add NET_ADMIN --cap-add NET_RAW, and --network host',
      facts,
    )
  if (noNewPrivileges)
    return failed(`${found}; no_new_privs forbids to gain them`, 'start it without NoNewPrivileges=', facts)
  return failed(
    found,
    uid === 0
      ? 'start it from a shell that has them'
      : `run it with sudo; or${basename(program) === 'node' ? ', for all programs of this Node' : ''}: ` +
          `sudo setcap cap_net_admin,cap_net_raw+ep ${program}`,
    facts,
  )
}

function readStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8')
  } catch {
    return ''
  }
}

export const privilegeCheck: Check = {
  name: 'privilege',
  title: 'privilege',
  needs: [],
  run: ({ env }) => judgePrivilege(parsePrivilege(readStatus()), containerOf(env), process.execPath),
}
