/** How the start of a topology goes: pure, from one answer of the hub to the next. */
import { runningOf, type TopologyStatus } from '#hub/command/topology-status-text.ts'

export class StartProgress {
  readonly #told = new Map<string, string>()

  /** @returns a line for each device that came up or failed since the last call */
  linesOf({ devices }: TopologyStatus): string[] {
    const lines: string[] = []
    for (const { name, state, reason } of devices) {
      const now = state === 'failed' ? `${name} failed: ${reason}` : `${name} is ${state}`
      if ((state !== 'running' && state !== 'failed') || this.#told.get(name) === now) continue
      this.#told.set(name, now)
      lines.push(now)
    }
    return lines
  }
}

/** `12 of 50 running`, what failed named. */
export function summaryOf(topology: TopologyStatus): string {
  const failed = topology.devices.filter(({ state }) => state === 'failed').length
  const text = `${runningOf(topology)} of ${topology.devices.length} running`
  return failed === 0 ? text : `${text}, ${failed} failed`
}
