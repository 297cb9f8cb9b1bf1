/** When the links of a bridge are to deliver: one alarm for all of them, set to the first deadline. */

export interface ScheduledLink {
  /** Of its first frame; Infinity when none waits. */
  readonly deadline: number
  /** Delivers what is due. */
  release(now: number): void
}

/** A timer that calls once. */
export interface Alarm {
  /** @param ms  from now on, never rounded down; replaces what was set before */
  set(ms: number): void
  close(): void
}

export class LinkSchedule {
  /** Monotonic milliseconds. */
  readonly now: () => number
  private readonly alarm: Alarm
  private readonly links: ScheduledLink[] = []
  /** What the alarm is set to; -Infinity: nothing may set it. */
  private armed = Infinity

  constructor(now: () => number, openAlarm: (onTime: () => void) => Alarm) {
    this.now = now
    this.alarm = openAlarm(() => this.run())
  }

  add(link: ScheduledLink): void {
    this.links.push(link)
  }

  remove(link: ScheduledLink): void {
    const index = this.links.indexOf(link)
    if (index >= 0) this.links.splice(index, 1)
  }

  /** A link has a frame for this time, which is its first. */
  wake(deadline: number): void {
    if (deadline >= this.armed) return
    this.armed = deadline
    this.alarm.set(Math.max(0, deadline - this.now()))
  }

  /** All links are closed. */
  close(): void {
    this.alarm.close()
  }

  private run(): void {
    const now = this.now()
    // Frames that leave one link enter another: what those ask for is found below.
    this.armed = -Infinity
    for (let i = 0; i < this.links.length; i++) {
      const link = this.links[i]
      if (link !== undefined && link.deadline <= now) link.release(now)
    }
    let first = Infinity
    for (let i = 0; i < this.links.length; i++) first = Math.min(first, this.links[i]?.deadline ?? Infinity)
    this.armed = Infinity
    this.wake(first)
  }
}
