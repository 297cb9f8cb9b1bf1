/** The guards of one port, in their order: what it may not say at all, then how much of the rest. */
import { DROP_VLAN } from '#net/port/counters.ts'
import { Block, type BlockSet } from '#net/switch/guards/block.ts'
import { Storm } from '#net/switch/guards/storm.ts'
import type { FrameGuard } from '#net/switch/observer.ts'

export interface GuardSettings {
  readonly block: BlockSet
  /** Broadcast and multicast frames a second; null: as many as come. */
  readonly storm: number | null
  /** The port only gets copies of others' frames: it has no say. */
  readonly isMirror: boolean
}

const NO_GUARDS: GuardSettings = { block: 0, storm: null, isMirror: false }

class PortGuard implements FrameGuard {
  readonly settings: GuardSettings
  private readonly block: Block | null
  private readonly storm: Storm | null

  constructor(settings: GuardSettings) {
    this.settings = settings
    this.block = settings.block === 0 ? null : new Block(settings.block)
    this.storm = settings.storm === null ? null : new Storm(settings.storm)
  }

  admit(b: Uint8Array, start: number, end: number): number {
    if (this.settings.isMirror) return DROP_VLAN
    if (this.block !== null) {
      const reason = this.block.check(b, start, end)
      if (reason >= 0) return reason
    }
    return this.storm === null ? -1 : this.storm.check(b, start, end)
  }

  tick(): void {
    if (this.storm !== null) this.storm.tick()
  }
}

interface Guarded {
  guard: FrameGuard | null
}

/** The guard settings of an entry. */
export const guardSettings = (entry: Guarded): GuardSettings =>
  entry.guard instanceof PortGuard ? entry.guard.settings : NO_GUARDS

/** Changes some of them; an entry with none has no guard. */
export function setGuard(entry: Guarded, change: Partial<GuardSettings>): void {
  const settings = { ...guardSettings(entry), ...change }
  const isNeeded = settings.block !== 0 || settings.storm !== null || settings.isMirror
  entry.guard = isNeeded ? new PortGuard(settings) : null
}
