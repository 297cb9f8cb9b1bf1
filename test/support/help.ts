/** What `--help` of our commands says, as yargs formats it. */

/** All names of all options with their dashes, sorted. */
export function optionsOfHelp(help: string): string[] {
  const [declared = ''] = help.split('\nExamples:')
  const lines = declared.match(/^ {2,6}-.*/gm) ?? []
  // The description is two blanks away, or on the next line.
  return lines.flatMap((line) => line.trim().split('  ', 1)[0]?.split(', ') ?? []).sort()
}
