/**
 * What a command line consists of, from the same declarations that yargs gets: a stand-in for yargs that notes what it
 * is told. Manual pages and completions are made of it.
 */
import type { Argv, Options } from 'yargs'
import type { Values } from '#net/cli/values.ts'

export interface OptionDescription {
  /** Long ones before short ones, with their dashes. */
  readonly names: readonly string[]
  readonly describe: string
  readonly takesValue: boolean
  /** Capital letters that stand for the value; empty if it takes none. */
  readonly placeholder: string
  readonly values: Values | undefined
}

export interface WordDescription {
  readonly name: string
  readonly describe: string
  readonly values: Values | undefined
}

export interface CommandDescription {
  /** From the program's name on: `hybridge user add`. */
  readonly path: readonly string[]
  /** False: it only holds others. */
  readonly isRun: boolean
  /** Behind the path: `<name> [key]`. */
  readonly synopsis: string
  readonly describe: string
  readonly words: readonly WordDescription[]
  /** Its own; those of the commands above it hold too, but for the hidden ones. */
  readonly options: readonly OptionDescription[]
  /** Names, without dashes, of options of the commands above it that are nothing to it. */
  readonly hidden: readonly string[]
  readonly examples: readonly (readonly [command: string, describe: string])[]
  readonly epilogues: readonly string[]
  readonly commands: readonly CommandDescription[]
}

/** Declares a command line to yargs, or to who reads it. */
export type Declaration = (yargs: Argv) => unknown

/** Of an option, or of a word behind a command. */
interface Declared extends Options {
  readonly values?: Values
}
type Builder = Declaration | Record<string, Declared> | undefined
interface Module {
  readonly command: string
  readonly describe: string
  readonly builder?: Builder
}

/** @param program  its name */
export function describeCommandLine(program: string, declare: Declaration): CommandDescription {
  return readCommand([program], '', '', declare)
}

function readCommand(
  path: readonly string[],
  synopsis: string,
  describe: string,
  builder: Builder,
): CommandDescription {
  const reader = new Reader(path)
  if (typeof builder === 'function') builder(reader.argv())
  else reader.options(builder ?? {})
  return reader.description(synopsis, describe)
}

/** The methods of yargs that declare something; the others, which say how to parse, do nothing. */
class Reader {
  readonly #path: readonly string[]
  readonly #declared = new Map<string, Declared>()
  readonly #aliases = new Map<string, string[]>()
  readonly #words: WordDescription[] = []
  readonly #examples: [string, string][] = []
  readonly #epilogues: string[] = []
  readonly #commands: CommandDescription[] = []
  readonly #hidden: string[] = []
  #usage = ''
  /** It does something without a further word. */
  #hasDefault = false

  constructor(path: readonly string[]) {
    this.#path = path
  }

  /** Takes any method of yargs. */
  argv(): Argv {
    const proxy: unknown = new Proxy(this, {
      get: (reader, name) => {
        const method: unknown = Reflect.get(Reader.prototype, name)
        return (...args: unknown[]) => {
          if (typeof method === 'function') Reflect.apply(method, reader, args)
          return proxy
        }
      },
    })
    // oxlint-disable-next-line no-unsafe-type-assertion -- it has every method, by its nature
    return proxy as Argv
  }

  usage(text: string): void {
    this.#usage = text
  }

  option(name: string, declared: Declared): void {
    this.#declared.set(name, declared)
    for (const alias of [declared.alias ?? []].flat()) this.alias(name, alias)
  }

  options(declared: Record<string, Declared>): void {
    for (const [name, option] of Object.entries(declared)) this.option(name, option)
  }

  hide(name: string): void {
    this.#hidden.push(name)
  }

  alias(name: string, alias: string): void {
    const list = this.#aliases.get(name) ?? []
    if (!list.includes(alias)) this.#aliases.set(name, [...list, alias])
  }

  version(): void {
    this.option('version', { type: 'boolean', describe: 'Show version number' })
  }

  help(): void {
    this.option('help', { type: 'boolean', describe: 'Show help' })
  }

  positional(name: string, declared: Declared): void {
    this.#words.push({ name, describe: declared.describe ?? '', values: valuesOf(declared) })
  }

  example(command: string, describe: string): void {
    this.#examples.push([command.replace('$0', this.#path[0] ?? ''), describe])
  }

  epilog(text: string): void {
    this.#epilogues.push(text)
  }

  epilogue(text: string): void {
    this.epilog(text)
  }

  command(command: string | Module, describe = '', builder?: Builder): void {
    if (typeof command !== 'string') return this.command(command.command, command.describe, command.builder)
    const [name = '', ...words] = command.split(' ')
    if (name === '$0') this.#hasDefault = true
    else this.#commands.push(readCommand([...this.#path, name], words.join(' '), describe, builder))
  }

  description(synopsis: string, describe: string): CommandDescription {
    return {
      path: this.#path,
      isRun: this.#hasDefault || this.#commands.length === 0,
      synopsis,
      describe: describe || this.#usage,
      words: this.#words,
      options: [...this.#declared]
        .filter(([, { hidden }]) => hidden !== true)
        .map((entry) => this.#option(...entry)),
      hidden: this.#hidden,
      examples: this.#examples,
      epilogues: this.#epilogues,
      commands: this.#commands,
    }
  }

  #option(name: string, declared: Declared): OptionDescription {
    const names = [name, ...(this.#aliases.get(name) ?? [])]
    const values = valuesOf(declared)
    const takesValue = declared.boolean !== true && declared.type !== 'boolean'
    return {
      names: [...names.filter((n) => n.length > 1), ...names.filter((n) => n.length === 1)].map(dashed),
      describe: declared.describe ?? declared.description ?? declared.desc ?? '',
      takesValue,
      placeholder: takesValue ? choicesOf(values).join('|') || name.toUpperCase() : '',
      values,
    }
  }
}

const dashed = (name: string): string => (name.length > 1 ? `--${name}` : `-${name}`)
const valuesOf = ({ choices, values }: Declared): Values | undefined =>
  choices === undefined ? values : [choices].flat().map(String)

/** Those that are known beforehand. */
export const choicesOf = (values: Values | undefined): readonly string[] =>
  Array.isArray(values) ? values : []

/** The command itself and all below it. */
export const allCommands = (command: CommandDescription): CommandDescription[] => [
  command,
  ...command.commands.flatMap(allCommands),
]
