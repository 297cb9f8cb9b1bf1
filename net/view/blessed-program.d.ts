/** The part of the package `blessed` that we use: its program, without the widgets. */
declare module 'blessed/lib/program.js' {
  import type { EventEmitter } from 'node:events'

  /** A key: `full` has its modifiers (`C-c`, `S-tab`); undefined for characters that are no keys to blessed. */
  export interface KeyPress {
    readonly name?: string
    readonly full?: string
    readonly ctrl?: boolean
    readonly meta?: boolean
  }

  export interface Program extends EventEmitter {
    readonly cols: number
    readonly rows: number
    on(event: 'keypress', listener: (character: string | undefined, key: KeyPress | undefined) => void): this
    on(event: 'resize', listener: () => void): this
    /** Gives keys back to others, and ends raw mode. */
    destroy(): void
  }

  interface ProgramOptions {
    readonly input: NodeJS.ReadStream
    readonly output: NodeJS.WriteStream
    readonly terminal: string
    /** False: the sequences of ECMA-48 and xterm, whatever terminfo says. */
    readonly tput: false
  }

  export default function program(options: ProgramOptions): Program
}
