/** The terminal that an SSH client says it has, RFC 4254 section 6.2 and 6.7. */
import type { Session } from 'ssh2'
import { type Size, sizeOf } from '#hub/console/records.ts'

export class ClientTerminal {
  #isThere = false
  #size: Size | undefined
  /** Called when it has another size. */
  onResize: (size: Size) => void = () => {}

  constructor(session: Session) {
    session.on('pty', (accept, _reject, { cols, rows }) => {
      this.#isThere = true
      this.#resize(cols, rows)
      accept?.()
    })
    session.on('window-change', (accept, _reject, { cols, rows }) => {
      this.#resize(cols, rows)
      // Clients want no answer to it, and then there is none.
      const answer: (() => void) | undefined = accept
      answer?.()
    })
  }

  /** Whether it asked for one. */
  get isThere(): boolean {
    return this.#isThere
  }

  /** Undefined: there is none, or it says no size. */
  get size(): Size | undefined {
    return this.#size
  }

  #resize(columns: unknown, rows: unknown): void {
    const size = sizeOf(columns, rows)
    if (!size) return
    this.#size = size
    this.onResize(size)
  }
}
