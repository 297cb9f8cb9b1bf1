/** Manual page of a program, in the macros of man(7), from what its command line consists of. */
import {
  allCommands,
  choicesOf,
  type CommandDescription,
  type OptionDescription,
  type WordDescription,
} from '#net/cli/description.ts'
import { type Place, placesOf } from '#net/cli/words.ts'

/** What is not on the command line. */
export interface ManualFacts {
  readonly version: string
  /** YYYY-MM-DD */
  readonly date: string
  /** One line, as whatis(1) shows it. */
  readonly purpose: string
  /** A paragraph a line. */
  readonly description: string
  readonly files: readonly (readonly [path: string, describe: string])[]
  /** As `hybridge(1)`. */
  readonly seeAlso: readonly string[]
}

export function manualPage(program: CommandDescription, facts: ManualFacts): string {
  const name = program.path[0] ?? ''
  const commands = allCommands(program).filter(({ isRun }) => isRun)
  const lines = [
    `.TH ${name.toUpperCase()} 1 ${facts.date} "Hybridge ${roff(facts.version)}" "User Commands"`,
    '.SH NAME',
    `${name} \\- ${roff(facts.purpose)}`,
    '.SH SYNOPSIS',
    ...commands.flatMap((command, i) => [...(i > 0 ? ['.br'] : []), ...synopsis(command)]),
    ...section('DESCRIPTION', paragraphs(facts.description)),
    ...section('OPTIONS', program.options.flatMap(optionEntry)),
    ...section(
      'COMMANDS',
      placesOf(program)
        .filter(({ command }) => command !== program && command.isRun)
        .flatMap(commandSection),
    ),
    ...section('NOTES', program.epilogues.flatMap(paragraphs)),
    ...section(
      'FILES',
      facts.files.flatMap(([path, text]) => ['.TP', `.I ${roff(path)}`, ...prose(text)]),
    ),
    ...section('EXAMPLES', examples(program)),
    '.SH SEE ALSO',
    facts.seeAlso.map(reference).join(',\n'),
  ]
  return `${lines.join('\n')}\n`
}

const synopsis = ({ path, synopsis: words }: CommandDescription): string[] => [
  `.B ${roff(path.join(' '))}`,
  ...(words ? [`.I ${roff(words)}`] : []),
  '.RI [ OPTION ...]',
]

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`.SH ${title}`, ...(lines[0] === '.PP' ? lines.slice(1) : lines)]

function commandSection({ command, options }: Place): string[] {
  const above = options.filter((option) => !command.options.includes(option)).map(({ names: [name] }) => name)
  return [
    `.SS ${roff([...command.path, command.synopsis].join(' ').trim())}`,
    ...prose(`${capital(command.describe)}.`),
    ...(command.hidden.length > 0 ? ['.PP', ...prose(`Of the options above: ${above.join(', ')}.`)] : []),
    ...command.words.flatMap((word) => ['.TP', `.I ${roff(word.name)}`, ...prose(withChoices(word))]),
    ...command.options.flatMap(optionEntry),
    ...command.epilogues.flatMap(paragraphs),
    ...(command.examples.length > 0 ? ['.PP', 'Examples:', ...examples(command)] : []),
  ]
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const withChoices = ({ describe, values }: WordDescription): string => {
  const choices = choicesOf(values)
  return choices.length > 0 ? `${describe}: ${choices.join(', ')}` : describe
}

function optionEntry(option: OptionDescription): string[] {
  const names = option.names.map((name) => `\\fB${roff(name)}\\fR`).join(', ')
  const value = option.takesValue ? ` \\fI${roff(option.placeholder)}\\fR` : ''
  return ['.TP', `${names}${value}`, ...prose(option.describe)]
}

const examples = (command: CommandDescription): string[] =>
  command.examples.flatMap(([text, describe]) =>
    describe === '' ? ['.PP', `.B ${roff(text)}`] : ['.TP', `.B ${roff(text)}`, ...prose(describe)],
  )

/** A line is a paragraph; lines that begin with blanks stay as they are. */
function paragraphs(text: string): string[] {
  const lines: string[] = []
  let isTable = false
  for (const line of text.split('\n')) {
    const isRow = line.startsWith(' ')
    if (isTable && !isRow) lines.push('.fi')
    if (!isTable && isRow) lines.push('.PP', '.nf')
    isTable = isRow
    if (isRow) lines.push(roff(line))
    else if (line !== '') lines.push('.PP', ...prose(line))
  }
  if (isTable) lines.push('.fi')
  return lines
}

const COLUMNS = 78

/** Sentences on lines of their own, as roff wants it, which are broken between words. */
const prose = (text: string): string[] => text.split(/(?<=[a-z)][.:]) (?=[A-Z])/).flatMap(wrapped)

function wrapped(sentence: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of sentence.split(' ')) {
    if (line !== '' && roff(`${line} ${word}`).length > COLUMNS) {
      lines.push(roff(line))
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, roff(line)]
}

const reference = (page: string): string => page.replace(/^(.*)(\(\d\))$/, '.BR $1 $2')

/** Text in which nothing is a command of roff. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('`', '\\(ga')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha')
    .replace(/^[.']/, '\\&$&')
