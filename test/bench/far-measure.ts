/** TCP through a way that is far: with one flow and with eight, towards the hub and from it. */
import type { Direction } from '#test/bench/bottleneck.ts'
import type { Column } from '#test/bench/figures.ts'
import { PORT, startServer, type Way } from '#test/bench/measure.ts'

/** Mbit/s of TCP payload received, CUBIC, once the flows have found their rate. */
export interface FarFigures {
  upOneMbps: number
  upEightMbps: number
  downOneMbps: number
  downEightMbps: number
}

export const FAR_COLUMNS: readonly Column<FarFigures>[] = [
  { figure: 'upOneMbps', title: 'up, 1 flow, Mbit/s', digits: 0 },
  { figure: 'upEightMbps', title: 'up, 8 flows', digits: 0 },
  { figure: 'downOneMbps', title: 'down, 1 flow', digits: 0 },
  { figure: 'downEightMbps', title: 'down, 8 flows', digits: 0 },
]

/** CUBIC takes seconds over such a round trip to find the rate. */
export const FINDING_SECONDS = 15
export const SECONDS = 8

/** `iperf3 -J`, as far as it matters: what it says of the time after `-O`. */
interface Report {
  end: { sum_received: { bits_per_second: number } }
}

async function tcp({ from, to, address }: Way, flows: number, direction: Direction): Promise<number> {
  await to.listening(PORT) // its server opens its port anew after each run
  await from.reaches(address, 15)
  const args = ['-c', address, '-J', '-C', 'cubic', '-P', String(flows)]
  const time = ['-O', String(FINDING_SECONDS), '-t', String(SECONDS)]
  const { stdout } = await from.run('iperf3', [...args, ...time, ...(direction === 'down' ? ['-R'] : [])], {
    timeoutMs: (FINDING_SECONDS + SECONDS + 30) * 1000,
  })
  const report: Report = JSON.parse(stdout)
  return report.end.sum_received.bits_per_second / 1e6
}

export async function measureFar(way: Way): Promise<FarFigures> {
  await startServer(way)
  return {
    upOneMbps: await tcp(way, 1, 'up'),
    upEightMbps: await tcp(way, 8, 'up'),
    downOneMbps: await tcp(way, 1, 'down'),
    downEightMbps: await tcp(way, 8, 'down'),
  }
}
