/** A program on a terminal of tmux's: what its screen shows, keys, other sizes. */
import { join } from 'node:path'
import type { Namespace } from '#test/support/netns.ts'
import { until } from '#test/support/process.ts'

export interface TmuxOptions {
  readonly columns: number
  readonly rows: number
  /** Default: `screen-256color`, as tmux has it. */
  readonly term?: string
  readonly env?: NodeJS.ProcessEnv
}

let made = 0

export class Tmux {
  readonly #at: Namespace
  readonly #socket: string

  private constructor(at: Namespace, socket: string) {
    this.#at = at
    this.#socket = socket
  }

  /**
   * A shell on a terminal in a namespace; what is typed runs there. It ends with the laboratory.
   * @throws Error when tmux cannot start
   */
  static async start(at: Namespace, options: TmuxOptions): Promise<Tmux> {
    const { columns, rows, term = 'screen-256color', env = {} } = options
    const tmux = new Tmux(at, join(at.directory, `tmux-${made++}`))
    const server = { TERM: term, LANG: 'C.UTF-8', PS1: '$ ', TMUX: '', ...env }
    const size = ['-x', String(columns), '-y', String(rows)]
    const settings = Object.entries(server).map(([name, value]) => `${name}=${value ?? ''}`)
    const shell = ['env', '-u', 'NO_COLOR', '-u', 'LC_ALL', ...settings, 'bash', '--norc', '--noprofile']
    await at.run('tmux', ['-f', '/dev/null', '-S', tmux.#socket, 'new-session', '-d', ...size, ...shell])
    tmux.#tmux('set-option', '-g', 'status', 'off')
    await tmux.shows(/^\$/)
    return tmux
  }

  /** The rows of the screen, without spaces at their ends. */
  get screen(): string[] {
    return this.#tmux('capture-pane', '-p')
      .split('\n')
      .slice(0, -1)
      .map((row) => row.trimEnd())
  }

  get isCursorVisible(): boolean {
    return this.#tmux('display-message', '-p', '#{cursor_flag}').trim() === '1'
  }

  /** Waits until a row matches. @returns the row */
  async shows(pattern: RegExp, deadlineMs = 15_000): Promise<string> {
    const find = (): string | undefined => this.screen.find((row) => pattern.test(row))
    try {
      return await until(`a row that matches ${String(pattern)}`, find, deadlineMs)
    } catch (error) {
      throw new Error(`no row matches ${String(pattern)} on\n${this.screen.join('\n')}`, { cause: error })
    }
  }

  /** Waits until no row matches. */
  async hides(pattern: RegExp, deadlineMs = 15_000): Promise<void> {
    await until(
      `no row that matches ${String(pattern)}`,
      () => !this.screen.some((row) => pattern.test(row)),
      deadlineMs,
    )
  }

  /** Presses keys, by tmux's names: `q`, `Tab`, `Escape`, `C-c`. */
  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys)
  }

  /** Types text as it is. */
  type(text: string): void {
    this.#tmux('send-keys', '-l', text)
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows))
  }

  #tmux(...args: readonly string[]): string {
    return this.#at.exec('tmux', '-S', this.#socket, ...args)
  }
}
