/** What keys ask for beyond the view itself, and what of it there is. */
import type { PortRow } from '#net/view/port-track.ts'

export type Action =
  | { readonly do: 'quit' | 'reset' | 'redraw' | 'suspend' | 'thaw' }
  | { readonly do: 'capture'; readonly port: PortRow; readonly file: string }
  | { readonly do: 'stop-capture'; readonly port: PortRow }
  | { readonly do: 'impair'; readonly port: PortRow; readonly text: string }

/** What the source offers, and what is going on. */
export interface Abilities {
  readonly capture: boolean
  readonly impair: boolean
  readonly isCapturing: (port: PortRow) => boolean
  /** Offered as the name of a capture of the port. */
  readonly captureFile: (port: PortRow) => string
}
