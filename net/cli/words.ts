/** What the completion scripts of all shells need to know of a command line. */
import { allCommands, type CommandDescription, type OptionDescription } from '#net/cli/description.ts'

/** A place on the command line: a command, and what holds behind it. */
export interface Place {
  /** Words of the command without the program's name, with blanks between; empty for the program itself. */
  readonly words: string
  readonly command: CommandDescription
  /** Those of the commands above it among them. */
  readonly options: readonly OptionDescription[]
}

export function placesOf(program: CommandDescription): Place[] {
  const options = new Map<CommandDescription, readonly OptionDescription[]>()
  const pass = (command: CommandDescription, above: readonly OptionDescription[]): void => {
    const hidden = command.hidden.map((name) => `--${name}`)
    const all = [
      ...command.options,
      ...above.filter(({ names }) => !names.some((name) => hidden.includes(name))),
    ]
    options.set(command, all)
    for (const child of command.commands) pass(child, all)
  }
  pass(program, [])
  return allCommands(program).map((command) => ({
    words: command.path.slice(1).join(' '),
    command,
    options: options.get(command) ?? [],
  }))
}

/** Every name of an option that is followed by a value, anywhere. */
export const valueOptionNames = (places: readonly Place[]): string[] => [
  ...new Set(places.flatMap(({ options }) => options.filter((o) => o.takesValue).flatMap((o) => o.names))),
]

/** Text for a shell, in single quotes; not for fish, where backslashes count there. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
