/** What a viewer types: for the console, but for Ctrl-] and the key after it. */

/** Ctrl-], as telnet's and `virsh console`'s. */
const ESCAPE = 0x1d

export type Typed =
  | { readonly kind: 'input'; readonly octets: Uint8Array }
  /** Ctrl-]: the keys that may follow are to be shown. */
  | { readonly kind: 'menu' }
  | { readonly kind: 'help' }
  | { readonly kind: 'take-over' }
  | { readonly kind: 'quit' }

export const MENU = 't take over, q quit, ? help, Ctrl-] send it'
/** Of several lines. */
export const HELP = `Ctrl-] t       type here; who did looks on
Ctrl-] q       leave; the device goes on
Ctrl-] Ctrl-]  send Ctrl-] to the device
telnet keeps Ctrl-] for itself: start it with -E, or say "send escape" at its prompt`

const KEYS: Readonly<Record<number, Typed>> = {
  0x3f: { kind: 'help' }, // ?
  0x74: { kind: 'take-over' }, // t
  0x54: { kind: 'take-over' },
  0x71: { kind: 'quit' }, // q
  0x51: { kind: 'quit' },
}

export class EscapeMenu {
  #isOpen = false

  /** As if Ctrl-] were typed. */
  open(): Typed {
    this.#isOpen = true
    return { kind: 'menu' }
  }

  /** What `octets` mean, in their order; the input in it is part of them. A key that is not in the menu is input. */
  *read(octets: Uint8Array): Generator<Typed> {
    for (let at = 0; at < octets.length;) {
      if (this.#isOpen) {
        this.#isOpen = false
        const meant = KEYS[octets[at] ?? 0]
        if (meant) {
          at++
          yield meant
          continue
        }
      } else if (octets[at] === ESCAPE) {
        at++
        yield this.open()
        continue
      }
      // The first octet is input, whatever it is.
      const next = octets.indexOf(ESCAPE, at + 1)
      const end = next < 0 ? octets.length : next
      yield { kind: 'input', octets: octets.subarray(at, end) }
      at = end
    }
  }
}
