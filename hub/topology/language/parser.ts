/** The block language: tokens of the preprocessor go in, blocks come out; a statement that is wrong is told and left out. */
import { numberOf } from '#hub/topology/language/expression.ts'
import type { Diagnostics, Place } from '#hub/topology/language/source.ts'
import {
  type ConfigBlock,
  DISKS,
  type DiskKind,
  type InterfaceBlock,
  type Text,
  type VmBlock,
} from '#hub/topology/language/syntax.ts'
import type { Token } from '#hub/topology/language/token.ts'

/** A statement is wrong, and has been told. One for all: a file may have very many. */
const SKIP = new Error('a statement is skipped')
/** Errors after which nothing is read any more. */
const MAX_ERRORS = 1000

type Statements = Record<string, (word: Token) => void>

/** @param end  where the file ends, for what is missing there */
export function parseConfigs(tokens: readonly Token[], end: Place, diagnostics: Diagnostics): ConfigBlock[] {
  return new Parser(tokens, end, diagnostics).file()
}

class Parser {
  readonly #tokens: readonly Token[]
  readonly #end: Place
  readonly #diagnostics: Diagnostics
  #at = 0

  constructor(tokens: readonly Token[], end: Place, diagnostics: Diagnostics) {
    this.#tokens = tokens
    this.#end = end
    this.#diagnostics = diagnostics
  }

  file(): ConfigBlock[] {
    const configs: ConfigBlock[] = []
    this.#statements('the file', {
      config: () => configs.push(this.#config()),
    })
    return configs
  }

  #config(): ConfigBlock {
    const name = this.#string('the name of the config')
    const bridges: Text[] = []
    const vms: VmBlock[] = []
    this.#block(`config "${name.text}"`, {
      display: () => this.#string('what to display'),
      bridge: () => {
        const bridge = this.#string('the name of the bridge')
        if (this.#isMark('{')) this.#block(`bridge "${bridge.text}"`, {})
        bridges.push(bridge)
      },
      vm: () => vms.push(this.#vm()),
    })
    return { name, bridges, vms }
  }

  #vm(): VmBlock {
    const name = this.#string('the name of the vm')
    const what = `vm "${name.text}"`
    const once = this.#onceIn(what)
    let hostname: Text | undefined
    let disk: VmBlock['disk']
    let memory: number | undefined
    let cpus: number | undefined
    const variables: { key: Text; value: Text }[] = []
    const installs: { source: Text; target: Text }[] = []
    const interfaces: InterfaceBlock[] = []
    const setDisk = (kind: DiskKind) => (word: Token) => {
      once({ ...word, text: 'disk' })
      disk = { kind, file: this.#string('the file of the disk') }
    }
    this.#block(what, {
      hostname: (word) => {
        once(word)
        hostname = this.#string('the host name')
      },
      memory: (word) => {
        once(word)
        memory = this.#number('megabytes')
      },
      ncpus: (word) => {
        once(word)
        cpus = this.#number('a number of processors')
      },
      disk: () => {
        this.#string('the name of the disk')
        this.#string('the file of the disk')
      },
      setvar: () => variables.push({ key: this.#string('a variable'), value: this.#string('its value') }),
      install: () =>
        installs.push({ source: this.#string('a file to install'), target: this.#string('where it goes') }),
      interface: () => interfaces.push(this.#interface()),
      ...Object.fromEntries(DISKS.map((kind) => [kind, setDisk(kind)])),
    })
    return { name, hostname, disk, memory, cpus, variables, installs, interfaces }
  }

  #interface(): InterfaceBlock {
    const name = this.#string('the name of the interface')
    const what = `interface "${name.text}"`
    const once = this.#onceIn(what)
    let bridge: Text | undefined
    let address: Text | undefined
    let vlan: number | undefined
    this.#block(what, {
      bridge: (word) => {
        once(word)
        bridge = this.#string('the name of a bridge')
      },
      ipaddr: (word) => {
        once(word)
        address = this.#string('an IP address')
      },
      ext_vlanid: (word) => {
        once(word)
        vlan = this.#number('a VLAN')
      },
    })
    return { name, bridge, address, vlan }
  }

  /** Warns when a statement that counts once is there again. */
  #onceIn(what: string): (word: Token) => void {
    const seen = new Set<string>()
    return (word) => {
      if (seen.has(word.text))
        this.#diagnostics.warn(word.place, `${what} has a second ${word.text}: this one counts`)
      seen.add(word.text)
    }
  }

  #block(what: string, statements: Statements): void {
    const open = this.#tokens[this.#at]
    if (!this.#isMark('{')) this.#fail(`\`{\` is missing behind ${what}`)
    this.#at++
    this.#statements(what, statements)
    if (this.#isMark('}')) this.#at++
    else if (open) this.#diagnostics.error(open.place, `the \`{\` of ${what} is not closed`)
  }

  /** Reads statements up to `}`, or the end of the file. A `;` may be missing before `}`, and stand where none is needed. */
  #statements(what: string, statements: Statements): void {
    const isFile = what === 'the file'
    for (let token = this.#tokens[this.#at]; token; token = this.#tokens[this.#at]) {
      if (this.#diagnostics.errors > MAX_ERRORS) this.#at = this.#tokens.length
      else if (this.#isMark(';')) this.#at++
      else if (this.#isMark('}')) {
        if (!isFile) return
        this.#diagnostics.error(token.place, '`}` without `{`')
        this.#at++
      } else this.#statement(token, what, statements)
    }
  }

  #statement(word: Token, what: string, statements: Statements): void {
    const start = this.#at++
    try {
      const read =
        word.kind === 'word' && Object.hasOwn(statements, word.text) ? statements[word.text] : undefined
      if (read === undefined) {
        this.#at = start
        this.#fail(unknown(word, what, Object.keys(statements)))
      }
      read(word)
      const last = this.#tokens[this.#at - 1]
      const isBlock = last?.kind === 'mark' && last.text === '}'
      if (isBlock || this.#isMark(';') || this.#isMark('}') || this.#tokens[this.#at] === undefined) return
      this.#diagnostics.error(last?.place ?? word.place, `\`;\` is missing behind this ${word.text}`)
    } catch (error) {
      if (error !== SKIP) throw error
      this.#recover(start)
    }
  }

  /** Goes on behind the statement that began at `start`: its `;`, or its block. */
  #recover(start: number): void {
    let depth = 0
    for (let token = this.#tokens[this.#at]; token; token = this.#tokens[this.#at]) {
      // A statement that begins a line is a new one: a macro of nobody's stands alone on its line.
      if (depth === 0 && token.startsLine && this.#at > start && !this.#isMark('{')) return
      if (this.#isMark('{')) depth++
      if (this.#isMark('}') && --depth < 0) return
      const ends = depth === 0 && (this.#isMark('}') || this.#isMark(';'))
      this.#at++
      if (ends) return
    }
  }

  #isMark(text: string): boolean {
    const token = this.#tokens[this.#at]
    return token?.kind === 'mark' && token.text === text
  }

  #string(what: string): Text {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'string') return this.#fail(`expected ${what} in quotes${instead(token)}`)
    this.#at++
    return { text: token.text, place: token.place }
  }

  #number(what: string): number {
    const token = this.#tokens[this.#at]
    const value = token?.kind === 'number' ? numberOf(token.text) : undefined
    if (value === undefined) return this.#fail(`expected ${what} as a whole number${instead(token)}`)
    this.#at++
    return value
  }

  #fail(message: string, at: Token | undefined = this.#tokens[this.#at]): never {
    this.#diagnostics.error(at?.place ?? this.#end, message)
    throw SKIP
  }
}

const instead = (token: Token | undefined): string => {
  if (token === undefined) return ', but the file ends'
  return `, found ${token.kind === 'string' ? `"${token.text.slice(0, 40)}"` : token.text.slice(0, 40)}`
}

function unknown({ kind, text }: Token, what: string, known: readonly string[]): string {
  const shown = kind === 'string' ? `"${text.slice(0, 40)}"` : text.slice(0, 40)
  const may = known.length === 0 ? 'nothing' : known.join(', ')
  if (kind === 'word' && /^[A-Z][A-Z0-9_]*$/.test(text))
    return `${shown} is not defined: no included file has such a macro`
  return `unexpected ${shown} in ${what}; it may have ${may}`
}
