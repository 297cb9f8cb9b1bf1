/** What people may look at, and do to, the agent's switch while it runs: talkers, captures, impaired links. */
import { CaptureFile } from '#net/capture/capture-file.ts'
import { impairLink } from '#net/impairment/impair-link.ts'
import { LinkSchedule } from '#net/impairment/link-schedule.ts'
import { SystemError } from '#net/base/errors.ts'
import { TimerAlarm } from '#net/port/timer-alarm.ts'
import { RECEIVED, SENT } from '#net/switch/observer.ts'
import type { Switch, SwitchPort } from '#net/switch/switch.ts'
import type { TalkerReading } from '#net/talkers/talkers.ts'
import { TalkerWatches } from '#net/talkers/talker-watches.ts'

/** Captures at once: each costs every frame of its port, and 4 MiB. */
const MOST_CAPTURES = 8
/** Counting of talkers ends when nobody has asked for so long. */
const TALKERS_S = 10

export class Inspection {
  readonly #switch: Switch
  readonly #captures = new Set<CaptureFile>()
  readonly #talkers = new TalkerWatches(() => performance.now())
  readonly #log: (text: string) => void
  /** Of impaired links; there from the first use. */
  #links: LinkSchedule | undefined

  /** @param log  told of a capture that ends by itself */
  constructor(observed: Switch, log: (text: string) => void) {
    this.#switch = observed
    this.#log = log
  }

  /** Those since the first one asked. */
  get talkers(): TalkerReading[] {
    return this.#talkers.read(this.#switch, TALKERS_S)
  }

  /**
   * Captures a port to a new file.
   * @returns ends it; resolves with what to tell people
   * @throws SystemError when the file cannot be made, or too many run
   */
  async capture(port: number, file: string): Promise<() => Promise<string>> {
    this.#entry(port)
    if (this.#captures.size >= MOST_CAPTURES)
      throw new SystemError('EBUSY', `${MOST_CAPTURES} captures run already (end one)`)
    const capture = await CaptureFile.open({ observed: this.#switch, port, file, onFailure: this.#log })
    this.#captures.add(capture)
    return () => {
      this.#captures.delete(capture)
      return capture.close()
    }
  }

  /**
   * Impairs the link before a port, both ways; '' and `none` end it.
   * @throws ConfigError that names the option and what is allowed, SystemError when no timer can be had
   */
  impair(port: number, text: string): void {
    const entry = this.#entry(port)
    this.#links ??= new LinkSchedule(
      () => performance.now(),
      (onTime) => new TimerAlarm(onTime),
    )
    impairLink(text === '' ? 'none' : text, this.#links, entry, [RECEIVED, SENT])()
  }

  /** After the switch was closed. */
  close(): void {
    for (const capture of this.#captures) void capture.close()
    this.#talkers.close()
    this.#links?.close()
  }

  #entry(port: number): SwitchPort {
    const entry = this.#switch.entry(port)
    if (entry !== null) return entry
    throw new SystemError('ENODEV', `there is no port ${port}`)
  }
}
