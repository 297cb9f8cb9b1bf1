/** `hconnect doctor`: looks at everything that bridging needs, says what is wrong, and what to do about it. */
import type { ConfigFile } from '#agent/config-file.ts'
import { type Group, GROUPS } from '#agent/doctor/checks.ts'
import type { Dialling } from '#agent/doctor/dialling.ts'
import { Examination, type Examined } from '#agent/doctor/examination.ts'
import type { Check, Status } from '#agent/doctor/finding.ts'
import { formatBegin, formatFinding, formatSkipped, formatSummary } from '#agent/doctor/page.ts'
import type { Patient } from '#agent/doctor/patient.ts'
import type { System } from '#agent/doctor/system.ts'
import type { Hub } from '#agent/hub.ts'
import { EXIT_ENDED, EXIT_OTHER } from '#agent/exit-codes.ts'
import { settleBridges, settleDriver, settleNic, settleTarget, type Arguments } from '#agent/options.ts'
import type { Output } from '#agent/output.ts'
import { readSshConfig } from '#agent/login/ssh-config.ts'

const ERASE_LINE = '\r\u001B[K'

/** @returns the exit code. @throws ExitError, ConfigError for what cannot be asked so */
export async function doctor(
  args: Arguments,
  config: ConfigFile,
  env: NodeJS.ProcessEnv,
  output: Output,
  version: string,
): Promise<number> {
  const patient = await admit(args, config, env, output)
  const report = new Report(output, env)
  const examination = new Examination(patient.one)
  try {
    for (const group of GROUPS) {
      report.begin(group)
      for (const check of group.checks) {
        report.look(check)
        report.take(group, await examination.run(check))
      }
      report.tellSkipped()
    }
  } finally {
    await patient.release()
  }
  report.end(version, patient.one)
  return report.counts.failed > 0 ? EXIT_OTHER : EXIT_ENDED
}

/** @throws ExitError, ConfigError */
async function admit(
  args: Arguments,
  config: ConfigFile,
  env: NodeJS.ProcessEnv,
  output: Output,
): Promise<{ one: Patient; release: () => Promise<void> }> {
  const nic = settleNic(args, env, config)
  settleDriver(args, config) // a wrong one is a fault of the command line
  const isBridgeGiven = [args, config].some(({ bridge, map = [] }) => bridge !== undefined || map.length > 0)
  const bridges = isBridgeGiven ? settleBridges(args, config).map(({ bridge }) => bridge) : []
  const hasHub = (args.hub ?? (env['HCONNECT_HUB'] || undefined) ?? config.hub) !== undefined
  const target = hasHub
    ? await settleTarget(args, env, config, (host) => readSshConfig(host, () => {}))
    : undefined
  const isAsking = !output.json && process.stdout.isTTY
  let system: Promise<System> | undefined
  let dialling: Promise<Dialling> | undefined
  const loadSystem = (): Promise<System> =>
    (system ??= import('#agent/doctor/system.ts').then((m) => m.system))
  let hub: Promise<Hub> | undefined
  const settle = async (): Promise<Hub> => {
    const { settleHub } = await loadSystem()
    const settled = settleHub(args, config, env, () => {})
    // An identity that cannot be used is told by a check of its own; the way to the hub is looked at all the same.
    const without = { args: { ...args, identity: undefined }, config: { ...config, identity: undefined } }
    return settled.catch(() => settleHub(without.args, without.config, env, () => {}))
  }
  const settleOnce = (): Promise<Hub> => (hub ??= settle())
  const dial = async (): Promise<Dialling> => {
    const { Dialling: Kind } = await import('#agent/doctor/dialling.ts')
    return new Kind(await settleOnce(), isAsking)
  }
  const one: Patient = {
    args,
    config,
    env,
    nic,
    bridges,
    target,
    isAsking,
    system: loadSystem,
    hub: settleOnce,
    dialling: () => (dialling ??= dial()),
    addresses: [],
    seesForeign: false,
  }
  return { one, release: async () => (await dialling)?.close() }
}

/** Shows checks as they finish; as JSON, all of them in one object at the end. */
class Report {
  readonly counts: Record<Status, number> = { ok: 0, warning: 0, failed: 0, unknown: 0, skipped: 0 }
  readonly #output: Output
  readonly #isTerminal = process.stdout.isTTY
  readonly #isColoured: boolean
  readonly #skipped: string[] = []
  #cause: string | undefined
  readonly #all: (Examined & { readonly group: Group })[] = []

  constructor(output: Output, env: NodeJS.ProcessEnv) {
    this.#output = output
    this.#isColoured = this.#isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  }

  begin(group: Group): void {
    this.#output.text(`${this.#all.length === 0 ? '' : '\n'}${group.title}\n`)
  }

  /** A check begins. */
  look(check: Check): void {
    if (this.#isTerminal) this.#output.text(formatBegin(check))
  }

  take(group: Group, examined: Examined): void {
    const { check, finding, cause } = examined
    this.counts[finding.status]++
    this.#all.push({ ...examined, group })
    if (this.#isTerminal) this.#output.text(ERASE_LINE)
    if (cause !== this.#cause) this.tellSkipped()
    this.#cause = cause
    if (cause === undefined) this.#output.text(formatFinding(check, finding, this.#isColoured))
    else this.#skipped.push(check.title)
  }

  /** Those that wait to be told together. */
  tellSkipped(): void {
    const titles = this.#skipped.splice(0)
    if (titles.length > 0) this.#output.text(formatSkipped(titles, this.#cause ?? ''))
  }

  end(version: string, { nic, target }: Patient): void {
    this.#output.text(formatSummary(this.counts))
    if (!this.#output.json) return
    const report = {
      type: 'doctor',
      time: new Date().toISOString(),
      version,
      nic,
      hub: target === undefined ? null : { host: target.host, port: target.port, user: target.user },
      result: this.counts.failed > 0 ? 'failed' : 'ok',
      counts: this.counts,
      checks: this.#all.map(({ check, finding, ms, group }) => ({
        name: check.name,
        group: group.title.toLowerCase(),
        ...finding,
        ms,
      })),
    }
    this.#output.raw(`${JSON.stringify(report)}\n`)
  }
}
