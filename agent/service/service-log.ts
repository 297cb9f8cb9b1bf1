/**
 * The log of `hconnect run` on standard error, a line an event: on a terminal with the time; else for the journal, with
 * the priority in front (`<4>`, sd-daemon(3)) and no time, which the journal adds. With --json objects on standard
 * output instead.
 */
import { ctime, formatEventJson } from '#agent/report.ts'
import { excerpt } from '#agent/excerpt.ts'

/** Of syslog(3). */
const PRIORITIES = { error: 3, warning: 4, notice: 5, info: 6 } as const
export type Severity = keyof typeof PRIORITIES

/** What programs are told with a line, by --json. */
export interface LogFields {
  /** `connected`, `failed`, ...; `notice` for what has no name of its own. */
  readonly event: string
  /** Name of the link. */
  readonly link?: string
  readonly [field: string]: unknown
}

const LONGEST_LINE = 1000

export type Log = (severity: Severity, text: string, fields?: LogFields) => void

export interface LogSink {
  readonly json: boolean
  /** For the journal, or a pipe. */
  readonly isPlain: boolean
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** Standard error and output of this process; who reads them may go. */
export function processSink(json: boolean, env: NodeJS.ProcessEnv): LogSink {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return {
    json,
    isPlain: Boolean(env['JOURNAL_STREAM']) || !process.stderr.isTTY,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  }
}

export const serviceLog =
  ({ json, isPlain, out, err }: LogSink): Log =>
  (severity, text, fields = { event: 'notice' }) => {
    const { event, link, ...rest } = fields
    if (json) {
      const about = link === undefined ? {} : { link }
      return out(formatEventJson(new Date(), event, { severity, ...about, message: text, ...rest }))
    }
    const line = excerpt(link === undefined ? text : `${link}: ${text}`, LONGEST_LINE)
    err(isPlain ? `<${PRIORITIES[severity]}>${line}\n` : `hconnect: ${ctime(new Date())}: ${line}\n`)
  }
