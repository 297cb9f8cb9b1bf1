/** Reads Prometheus' text format as strictly as it is written down, for tests. */

export interface Sample {
  readonly metric: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"`
const SAMPLE = new RegExp(
  `^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`,
)
const HELP = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\]|\\\\[\\\\n])+)$`)
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge)$`)

/** @throws Error with the line that is not as it should be */
export function parsePrometheusText(text: string): Sample[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no newline')
  const samples: Sample[] = []
  const seen = new Set<string>()
  const families = new Set<string>()
  let family = ''
  let type = ''
  let help = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const refuse = (why: string): never => {
      throw new Error(`${why}: ${line}`)
    }
    const [, helped] = HELP.exec(line) ?? []
    const [, typed, kind] = TYPE.exec(line) ?? []
    if (helped !== undefined) help = helped
    else if (typed !== undefined) {
      if (typed !== help) refuse('TYPE without its HELP before it')
      if (families.has(typed)) refuse('a family in two pieces')
      families.add(typed)
      family = typed
      type = kind ?? ''
    } else {
      const [, metric, labelText = '', value] = SAMPLE.exec(line) ?? refuse('no line of the format')
      if (metric !== family) refuse('a sample outside its family')
      if (type === 'counter' && !family.endsWith('_total'))
        refuse('a counter whose name does not end in _total')
      if (seen.has(`${metric}{${labelText}}`)) refuse('a sample twice')
      seen.add(`${metric}{${labelText}}`)
      samples.push({ metric: family, labels: parseLabels(labelText), value: Number(value) })
    }
  }
  return samples
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const [, name = '', value = ''] of text.matchAll(/([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"/g))
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
  return labels
}

/** The value of the one sample that has these labels, perhaps among others. */
export function valueOf(
  samples: readonly Sample[],
  metric: string,
  labels: Record<string, string> = {},
): number {
  const found = samples.filter(
    (sample) =>
      sample.metric === metric &&
      Object.entries(labels).every(([name, value]) => sample.labels[name] === value),
  )
  const [only] = found
  if (!only || found.length > 1)
    throw new Error(`${found.length} samples of ${metric} with ${JSON.stringify(labels)}`)
  return only.value
}
