/** Prometheus' text exposition format, version 0.0.4: what a scrape is answered with. */

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export type Labels = Readonly<Record<string, string | number>>

/** All samples of one metric, which stand together under its HELP and TYPE lines. */
export class MetricFamily {
  readonly #name: string
  readonly #lines: string[]

  /** @param help  one line, for people */
  constructor(name: string, type: 'counter' | 'gauge', help: string) {
    this.#name = name
    this.#lines = [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`]
  }

  add(labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(String(text))}"`)
    this.#lines.push(`${this.#name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`)
  }

  /** Lines with a newline each; nothing when there are no samples. */
  format(): string {
    return this.#lines.length === 2 ? '' : `${this.#lines.join('\n')}\n`
  }
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')
