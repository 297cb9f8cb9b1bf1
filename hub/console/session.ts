/**
 * One console and those who look at it: each sees all that it shows, one of them types, its writer. The first is the
 * writer; when it goes, the one who has looked on longest. Whoever asks takes over. No sockets, no terminals.
 */
import { printable } from '#net/base/printable.ts'
import { ScrollBack } from '#hub/console/scroll-back.ts'
import type { Size } from '#hub/console/records.ts'
import { TERMINAL_RESET, withoutQueries } from '#hub/console/terminal-text.ts'

export const MOST_VIEWERS = 16
const SCROLL_BACK_OCTETS = 65_536
const TAKE_OVER = 'Ctrl-] t takes over'

export interface Viewer {
  /** Who it is, for the others. */
  readonly name: string
  /** Undefined: it is no terminal, but a program. */
  readonly size: Size | undefined
  /** It typed before the console was away: it is to type again. */
  readonly typed: boolean
  /** Octets of the caller's, to be copied or sent at once. */
  output(octets: Uint8Array): void
  notice(text: string): void
  /** From now on it is the one who types, or is not any more. */
  types(isWriter: boolean): void
}

/** The terminal's other side. */
export interface Line {
  input(octets: Uint8Array): void
  resize(size: Size): void
  /** What was typed and is not read yet is not to be. */
  discard(): void
}

export class ConsoleSession {
  readonly #line: Line
  readonly #scrollBack = new ScrollBack(SCROLL_BACK_OCTETS)
  /** The longest there first. */
  readonly #viewers = new Set<Viewer>()
  #writer: Viewer | undefined
  /** They have typed in vain, and been told. */
  #told = new WeakSet<Viewer>()

  constructor(line: Line) {
    this.#line = line
  }

  /** Who types. */
  get writer(): Viewer | undefined {
    return this.#writer
  }

  /** Shows what there was, then all that comes. @returns false when there are too many already */
  join(viewer: Viewer): boolean {
    if (this.#viewers.size >= MOST_VIEWERS) return false
    this.#viewers.add(viewer)
    const before = this.#scrollBack.read()
    viewer.output(viewer.size ? Buffer.concat([Buffer.from(TERMINAL_RESET), withoutQueries(before)]) : before)
    if (this.#writer && viewer.typed && !this.#writer.typed) this.takeOver(viewer)
    else if (this.#writer) {
      viewer.notice(`you look on, ${nameOf(this.#writer)} types; ${TAKE_OVER}`)
      this.#writer.notice(`${nameOf(viewer)} looks on`)
    } else this.#become(viewer)
    return true
  }

  leave(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer)) return
    if (viewer !== this.#writer) {
      this.#writer?.notice(`${nameOf(viewer)} has left`)
      return
    }
    this.#writer = undefined
    this.#line.discard()
    const [next] = this.#viewers
    if (!next) return
    this.#become(next)
    next.notice(`${nameOf(viewer)} has left, you type now`)
  }

  /** What the console shows. */
  output(octets: Uint8Array): void {
    this.#scrollBack.write(octets)
    for (const viewer of this.#viewers) viewer.output(octets)
  }

  /** What somebody types, or his terminal answers; only the writer's goes to the console. */
  input(viewer: Viewer, octets: Uint8Array): void {
    if (viewer === this.#writer) this.#line.input(octets)
    else if (this.#writer && isTyped(octets) && !this.#told.has(viewer)) {
      this.#told.add(viewer)
      viewer.notice(`you look on, ${nameOf(this.#writer)} types; ${TAKE_OVER}`)
    }
  }

  /** A viewer's terminal has another size: its `size` says which. */
  resized(viewer: Viewer): void {
    if (viewer === this.#writer && viewer.size) this.#line.resize(viewer.size)
  }

  takeOver(viewer: Viewer): void {
    const before = this.#writer
    if (!this.#viewers.has(viewer) || viewer === before) return
    this.#line.discard()
    this.#become(viewer)
    viewer.notice(before ? `you type now, ${nameOf(before)} looks on` : 'you type now')
    before?.notice(`${nameOf(viewer)} has taken over, you look on; ${TAKE_OVER}`)
  }

  #become(viewer: Viewer): void {
    this.#writer?.types(false)
    this.#writer = viewer
    viewer.types(true)
    this.#told = new WeakSet()
    if (viewer.size) this.#line.resize(viewer.size)
  }
}

const nameOf = (viewer: Viewer): string => printable(viewer.name)

/** Answers of terminals begin with ESC. */
const isTyped = (octets: Uint8Array): boolean => octets.length > 0 && octets[0] !== 0x1b
