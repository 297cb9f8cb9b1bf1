/** The supervisor's log, with the lines of its children in it: for people, or for machines. */
import { pino } from 'pino'
import pinoPretty from 'pino-pretty'
import { printable } from '#net/base/printable.ts'
import { isRecord, textOr } from '#net/base/unknown.ts'
import { LOG_LEVELS, type Logger, logOptions } from '#hub/base/log.ts'

export interface LogSink {
  /** Where to; standard error if absent. */
  readonly stream?: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly env?: NodeJS.ProcessEnv
}

/** The supervisor's log on standard error: for people on a terminal, JSON lines otherwise. */
export function openSupervisorLog(level: string, sink: LogSink = {}): Logger {
  const stream = sink.stream ?? process.stderr
  const options: pino.LoggerOptions = {
    ...logOptions('supervisor', level),
    base: null,
    // Lines of children are told with their own process and pid.
    mixin: (fields) => ('process' in fields ? {} : { process: 'supervisor', pid: process.pid }),
  }
  if (stream.isTTY !== true) return pino(options, stream)
  const pretty = pinoPretty({
    colorize: !(sink.env ?? process.env)['NO_COLOR'],
    destination: stream,
    ignore: 'pid,process',
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: (line, key) => printable(`${textOr(line['process'], '')}: ${textOr(line[key], '')}`),
  })
  return pino(options, pretty)
}

/** Prints a line of a child's log file as the child's; what is no log line is printed as text. */
export function relayLine(log: Logger, process: string, line: string): void {
  const { level, msg, time: _time, ...rest } = parseLine(line)
  const label = typeof level === 'number' ? pino.levels.labels[level] : undefined
  const known = LOG_LEVELS.find((name) => name === label)
  if (known === undefined) log.warn({ process }, printable(line))
  else log[known]({ ...rest, process }, printable(textOr(msg, '')))
}

function parseLine(line: string): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(line)
    return isRecord(fields) ? fields : {}
  } catch {
    return {}
  }
}
