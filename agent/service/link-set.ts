/** The links of `hconnect run`, and how they follow the configuration: what did not change goes on untouched. */
import { isDeepStrictEqual } from 'node:util'

import type { LinkSettings } from '#agent/config-file.ts'
import type { ManagedLink } from '#agent/service/managed-link.ts'
import { Vitality } from '#agent/service/vitality.ts'

interface Member {
  readonly link: ManagedLink
  readonly vitality: Vitality
}

/** Names of links. */
export interface LinkChanges {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

export class LinkSet {
  readonly #make: (settings: LinkSettings) => ManagedLink
  #members: readonly Member[] = []
  #isStopping = false
  /** One change after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @param make  a link that was not started */
  constructor(make: (settings: LinkSettings) => ManagedLink) {
    this.#make = make
  }

  /** In the order of the configuration. */
  get links(): readonly ManagedLink[] {
    return this.#members.map(({ link }) => link)
  }

  /**
   * Ends what is no longer wanted, then starts what is new, and tries again what failed. Resolves when each new
   * interface was opened or could not be.
   */
  follow(wanted: readonly LinkSettings[]): Promise<LinkChanges> {
    const change = this.#turn.then(() => this.#follow(wanted))
    this.#turn = change.catch(() => {})
    return change
  }

  /** Ends all. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.links.map((link) => link.stop()))
  }

  /** Names of those that have stopped turning; to be called every `everyMs`. */
  lifeless(now: number, everyMs: number): string[] {
    return this.#members
      .filter(({ link, vitality }) => !vitality.isAlive(link.sign, now, everyMs))
      .map(({ link }) => link.settings.name)
  }

  async #follow(wanted: readonly LinkSettings[]): Promise<LinkChanges> {
    const before = this.#members
    const keep = (settings: LinkSettings): Member | undefined =>
      before.find(({ link }) => isDeepStrictEqual(link.settings, settings))
    const after = wanted.map((settings) => keep(settings) ?? this.#member(settings))
    this.#members = after
    const gone = before.filter((member) => !after.includes(member))
    const come = after.filter((member) => !before.includes(member))
    for (const { link } of after) link.retryNow()
    // First, as they may hold the interfaces that the new ones want.
    await Promise.all(gone.map(({ link }) => link.stop()))
    if (!this.#isStopping) {
      for (const { link } of come) link.start()
      await Promise.all(come.map(({ link }) => link.tried))
    }
    const [left, entered] = [gone.map(nameOf), come.map(nameOf)]
    return {
      added: entered.filter((name) => !left.includes(name)),
      changed: entered.filter((name) => left.includes(name)),
      removed: left.filter((name) => !entered.includes(name)),
    }
  }

  #member(settings: LinkSettings): Member {
    return { link: this.#make(settings), vitality: new Vitality() }
  }
}

const nameOf = ({ link }: Member): string => link.settings.name
