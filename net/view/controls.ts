/**
 * What the user has chosen, and what a key does. Pure but for its own fields; what must be done elsewhere is an Action.
 */
import type { Abilities, Action } from '#net/view/action.ts'
import { typed, type Dialog } from '#net/view/dialog.ts'
import type { Key } from '#net/view/key.ts'
import { FIRST_ORDER, PORT_SORTS, TALKER_SORTS, shownBridges, type Order } from '#net/view/order.ts'
import type { Reading } from '#net/view/model.ts'
import type { PortRow } from '#net/view/port-track.ts'
import { UNITS, unitsName, type Units } from '#net/view/quantity.ts'

/** In the order of the keys 1 to 5. */
export const TABS = ['Overview', 'Ports', 'Links', 'Talkers', 'Events'] as const
export type Tab = (typeof TABS)[number]

const PAGE = 10

export class Controls {
  tab: Tab = 'Overview'
  portOrder: Order = FIRST_ORDER
  talkerOrder: Order = FIRST_ORDER
  filter = ''
  units: Units = UNITS[0]
  isFrozen = false
  dialog: Dialog | undefined
  /** Key of the selected port; that of none: the first that is shown. */
  selected = ''
  /** First row that is shown of talkers, events and help. */
  scroll = 0
  /** For the last line, until the next key. */
  message = ''
  readonly abilities: Abilities

  constructor(abilities: Abilities) {
    this.abilities = abilities
  }

  /** The port that keys act on: the selected one, or the first that is shown. */
  selectedPort(reading: Reading): PortRow | undefined {
    const rows = this.#shownPorts(reading)
    return rows.find(({ key }) => key === this.selected) ?? rows[0]
  }

  /** Does what a key means. @returns what is left for others to do */
  press(key: Key, reading: Reading): Action | undefined {
    this.message = ''
    if (key.name === 'C-z') return { do: 'suspend' }
    if (key.name === 'C-l') return { do: 'redraw' }
    if (this.dialog !== undefined) return this.#pressInDialog(this.dialog, key)
    const tab = TABS[Number(key.name) - 1]
    if (tab !== undefined) return this.#open(tab)
    switch (key.name) {
      case 'q':
      case 'C-c':
        this.dialog = { kind: 'quit' }
        return undefined
      case '?':
      case 'h':
        this.dialog = { kind: 'help' }
        return undefined
      case 'tab':
      case 'right':
        return this.#open(this.#neighbour(1))
      case 'S-tab':
      case 'left':
        return this.#open(this.#neighbour(-1))
      case '/':
        this.dialog = { kind: 'filter', text: this.filter, before: this.filter }
        return undefined
      case 'escape':
        this.filter = ''
        return undefined
      case 's':
      case 'S':
        this.#sort(key.name === 'S')
        return undefined
      case 'f':
      case 'space':
        this.isFrozen = !this.isFrozen
        return this.isFrozen ? undefined : { do: 'thaw' }
      case 'r':
        this.message = 'counting from now; the counters of the switch stay as they are'
        return { do: 'reset' }
      case 'u':
        this.units = UNITS[(UNITS.indexOf(this.units) + 1) % UNITS.length] ?? UNITS[0]
        this.message = `rates in ${unitsName(this.units)}`
        return undefined
      case 'c':
        return this.#capture(reading)
      case 'i':
        return this.#impair(reading)
      default:
        this.#move(key.name, reading)
        return undefined
    }
  }

  #open(tab: Tab): undefined {
    this.tab = tab
    this.scroll = 0
  }

  #neighbour(step: 1 | -1): Tab {
    return TABS[(TABS.indexOf(this.tab) + step + TABS.length) % TABS.length] ?? 'Overview'
  }

  #sort(isReverse: boolean): void {
    const isTalkers = this.tab === 'Talkers'
    const order = isTalkers ? this.talkerOrder : this.portOrder
    const keys = isTalkers ? TALKER_SORTS.length : PORT_SORTS.length
    const next = isReverse
      ? { ...order, isReversed: !order.isReversed }
      : { key: (order.key + 1) % keys, isReversed: false }
    if (isTalkers) this.talkerOrder = next
    else this.portOrder = next
  }

  #shownPorts(reading: Reading): PortRow[] {
    return shownBridges(reading, this.filter, this.portOrder).flatMap(({ ports }) => ports)
  }

  #move(name: string, reading: Reading): void {
    const steps: Record<string, number> = {
      up: -1,
      k: -1,
      down: 1,
      j: 1,
      pageup: -PAGE,
      pagedown: PAGE,
      home: -Infinity,
      end: Infinity,
    }
    const step = steps[name]
    if (step === undefined) return
    if (this.tab === 'Overview' || this.tab === 'Ports') {
      const rows = this.#shownPorts(reading)
      const at = Math.max(
        0,
        rows.findIndex(({ key }) => key === this.selected),
      )
      this.selected = rows[Math.min(rows.length - 1, Math.max(0, at + step))]?.key ?? ''
      return
    }
    this.scrollBy(step)
  }

  /** The pane that shows it keeps it within its rows (pane.ts, `scrolled`). */
  scrollBy(step: number): void {
    this.scroll = Math.max(0, Math.min(Number.MAX_SAFE_INTEGER, this.scroll + step))
  }

  #capture(reading: Reading): Action | undefined {
    const port = this.#actOn(reading, 'capture', this.abilities.capture)
    if (port === undefined) return undefined
    if (this.abilities.isCapturing(port)) return { do: 'stop-capture', port }
    this.dialog = { kind: 'capture', port, text: this.abilities.captureFile(port) }
    return undefined
  }

  #impair(reading: Reading): Action | undefined {
    const port = this.#actOn(reading, 'impair', this.abilities.impair)
    if (port !== undefined) this.dialog = { kind: 'impair', port, text: '' }
    return undefined
  }

  /** The selected port, if the source can do this to it; else says why not. */
  #actOn(reading: Reading, verb: string, isOffered: boolean): PortRow | undefined {
    const port = this.selectedPort(reading)
    if (!isOffered) this.message = `cannot ${verb} ports here`
    else if (port === undefined) this.message = `no port to ${verb}`
    else if (port.isRemote) this.message = `cannot ${verb} ports of another machine's switch`
    else return port
    return undefined
  }

  #pressInDialog(dialog: Dialog, key: Key): Action | undefined {
    if (dialog.kind === 'help') return this.#pressInHelp(key)
    if (dialog.kind !== 'quit') return this.#type(dialog, key)
    if (['y', 'Y', 'q', 'enter', 'C-c'].includes(key.name)) return { do: 'quit' }
    if (['n', 'N', 'escape'].includes(key.name)) this.dialog = undefined
    return undefined
  }

  #pressInHelp(key: Key): undefined {
    if (key.name === 'down' || key.name === 'j') this.scrollBy(1)
    else if (key.name === 'up' || key.name === 'k') this.scrollBy(-1)
    else {
      this.dialog = key.name === 'C-c' || key.name === 'q' ? { kind: 'quit' } : undefined
      this.scroll = 0
    }
  }

  #type(dialog: Exclude<Dialog, { kind: 'help' | 'quit' }>, key: Key): Action | undefined {
    if (key.name === 'enter') {
      this.dialog = undefined
      const { text } = dialog
      if (dialog.kind === 'filter') return undefined
      if (dialog.kind === 'impair') return { do: 'impair', port: dialog.port, text: text.trim() }
      return text.trim() === '' ? undefined : { do: 'capture', port: dialog.port, file: text.trim() }
    }
    if (key.name === 'escape' || key.name === 'C-c') {
      this.dialog = undefined
      if (dialog.kind === 'filter') this.filter = key.name === 'escape' ? '' : dialog.before
      return undefined
    }
    const text = typed(dialog.text, key)
    this.dialog = { ...dialog, text }
    if (dialog.kind === 'filter') this.filter = text
    return undefined
  }
}
