/** The figures that hconnect reports, read from its text or from its JSON. */
import type { Running } from '#test/support/process.ts'

export interface Figures {
  frames: number
  octets: number
}

/** What the agent's switch received from a port and what it sent to it. */
export interface PortFigures {
  in: Figures
  out: Figures
}

interface JsonPort {
  inFrames: number
  inOctets: number
  outFrames: number
  outOctets: number
  inDrops: object
  outDrops: object
}

const TEXT = /^ (?:IN: |OUT:) pkts +(\d+) +bytes +(\d+)$/
/** As many reports must agree before an agent counts as quiet. */
const QUIET = 3

/** Every report that was printed so far, whole: port 1, the LAN, and port 2, the hub. Fails when frames were dropped. */
export function reportsOf(lines: readonly string[]): [PortFigures, PortFigures][] {
  const ports: PortFigures[] = []
  const figures: Figures[] = []
  for (const line of lines) {
    if (line.startsWith('{"type":"report"')) {
      const report: { ports: JsonPort[] } = JSON.parse(line)
      ports.push(...report.ports.map(figuresOf))
      continue
    }
    const [, frames, octets] = TEXT.exec(line) ?? []
    if (frames !== undefined) figures.push({ frames: Number(frames), octets: Number(octets) })
  }
  for (const [first, second] of pairs(figures)) ports.push({ in: first, out: second })
  return pairs(ports)
}

/** The same of any JSON object of the product that has a port's counters. */
export function figuresOf(port: JsonPort): PortFigures {
  const drops = JSON.stringify([port.inDrops, port.outDrops])
  if (drops !== '[{},{}]') throw new Error(`frames were dropped: ${drops}`)
  return {
    in: { frames: port.inFrames, octets: port.inOctets },
    out: { frames: port.outFrames, octets: port.outOctets },
  }
}

/** Resolves when reports from now on agree: nothing is on its way any more. */
export async function quiet(agent: Running, deadlineMs = 20_000): Promise<void> {
  const deadline = performance.now() + deadlineMs
  let seen = reportsOf(agent.lines).length
  for (let last = '', same = 0; same < QUIET;) {
    await agent.line(/"type":"report"|^ OUT:/, { from: agent.lines.length })
    for (const report of reportsOf(agent.lines).slice(seen)) {
      seen++
      const now = JSON.stringify(report)
      same = now === last ? same + 1 : 1
      last = now
    }
    if (performance.now() > deadline) throw new Error(`no quiet in ${deadlineMs} ms\n${agent.tail()}`)
  }
}

const pairs = <T>(list: readonly T[]): [T, T][] =>
  list.flatMap((first, i): [T, T][] => {
    const second = list[i + 1]
    return i % 2 === 0 && second !== undefined ? [[first, second]] : []
  })
