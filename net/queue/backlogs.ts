/**
 * Octets that wait in each flow, and which flow has most.
 *
 * Flows stand in groups, and each group has an upper bound of its flows' octets: a longer backlog raises it at once, a
 * shorter one leaves it until the group is looked at. A look costs the groups and the flows of one group; each further
 * group looked at had a bound that frames taken since had made too high, so that it is paid for by them.
 */
import { int32 } from '#net/wire/octets.ts'

const GROUP_SHIFT = 5
const GROUP = 1 << GROUP_SHIFT

export class Backlogs {
  readonly #octets: Int32Array
  readonly #bounds: Int32Array
  /** Where the next search begins, so that equal flows take turns. */
  #turn = 0

  /** @param flows  a multiple of 32 */
  constructor(flows: number) {
    this.#octets = new Int32Array(flows)
    this.#bounds = new Int32Array(flows >> GROUP_SHIFT)
  }

  of(flow: number): number {
    return int32(this.#octets, flow)
  }

  add(flow: number, octets: number): void {
    const backlog = int32(this.#octets, flow) + octets
    const group = flow >> GROUP_SHIFT
    this.#octets[flow] = backlog
    if (backlog > int32(this.#bounds, group)) this.#bounds[group] = backlog
  }

  take(flow: number, octets: number): void {
    this.#octets[flow] = int32(this.#octets, flow) - octets
  }

  /** A flow that has most octets waiting; any flow when nothing waits. */
  fattest(): number {
    for (;;) {
      const group = this.#highestGroup()
      const flow = this.#fattestOf(group)
      const octets = int32(this.#octets, flow)
      if (octets === int32(this.#bounds, group)) {
        this.#turn = (flow + 1) % this.#octets.length
        return flow
      }
      this.#bounds[group] = octets
    }
  }

  #highestGroup(): number {
    const groups = this.#bounds.length
    const first = this.#turn >> GROUP_SHIFT
    let highest = first
    for (let i = 1; i < groups; i++) {
      const group = first + i < groups ? first + i : first + i - groups
      if (int32(this.#bounds, group) > int32(this.#bounds, highest)) highest = group
    }
    return highest
  }

  #fattestOf(group: number): number {
    const first = group << GROUP_SHIFT
    let fattest = first | (this.#turn & (GROUP - 1))
    for (let i = 1; i < GROUP; i++) {
      const flow = first | ((this.#turn + i) & (GROUP - 1))
      if (int32(this.#octets, flow) > int32(this.#octets, fattest)) fattest = flow
    }
    return fattest
  }
}
