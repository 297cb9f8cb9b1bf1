/** The state of hconnect's systemd units, where there are any. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

import { type Check, type Finding, failed, ok, unknown, warning } from '#agent/doctor/finding.ts'

/** systemd is what started the system: sd_booted(3). */
const BOOTED = '/run/systemd/system'
const TIMEOUT_MS = 5000
const MAX_OUTPUT = 1 << 20

interface Unit {
  readonly name: string
  /** `active`, `inactive`, `failed`, `activating`... */
  readonly state: string
  /** `running`, `dead`, `auto-restart`... */
  readonly detail: string
  readonly restarts: number
}

/** Reads what `systemctl show` prints: blocks of `Key=value`, one for each unit, apart by empty lines. */
export function parseUnits(text: string): Unit[] {
  return text
    .split(/\n\n+/)
    .map((block) => new Map(block.split('\n').map((line) => splitOnce(line))))
    .filter((fields) => fields.has('Id') && fields.get('LoadState') === 'loaded')
    .map((fields) => ({
      name: fields.get('Id') ?? '',
      state: fields.get('ActiveState') ?? '',
      detail: fields.get('SubState') ?? '',
      restarts: Number(fields.get('NRestarts') ?? 0) || 0,
    }))
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf('=')
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
}

/** @param units  undefined: there is no systemd; a text: why it does not tell */
export function judgeService(units: readonly Unit[] | string | undefined): Finding {
  if (units === undefined) return ok('no systemd here')
  if (typeof units === 'string')
    return unknown(`systemctl does not tell: ${units}`, 'systemctl status hconnect')
  if (units.length === 0) return ok('no unit of hconnect is loaded')
  const facts = { units: units.map(({ name, state, detail }) => `${name} ${state} ${detail}`) }
  const text = units.map(({ name, state, detail }) => `${name} is ${state} (${detail})`).join(', ')
  const bad = units.find(({ state }) => state === 'failed')
  if (bad !== undefined)
    return failed(text, `journalctl -u ${bad.name} says why; then systemctl restart ${bad.name}`, facts)
  const restless = units.find(({ state, restarts }) => state === 'activating' || restarts > 5)
  if (restless !== undefined)
    return warning(
      `${text}; ${restless.name} was started again ${restless.restarts} times`,
      `journalctl -u ${restless.name}`,
      facts,
    )
  return ok(text, facts)
}

async function readUnits(): Promise<readonly Unit[] | string | undefined> {
  if (!existsSync(BOOTED)) return undefined
  const wanted = ['show', 'hconnect.service', 'hconnect@*.service', '--property']
  try {
    const { stdout } = await promisify(execFile)(
      'systemctl',
      [...wanted, 'Id,LoadState,ActiveState,SubState,NRestarts'],
      { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT },
    )
    return parseUnits(stdout)
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error)
  }
}

export const serviceCheck: Check = {
  name: 'service',
  title: 'service',
  needs: [],
  run: async () => judgeService(await readUnits()),
}
