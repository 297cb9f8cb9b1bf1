/** Completion script for fish, 3.0 or later. */
import {
  choicesOf,
  type CommandDescription,
  type OptionDescription,
  type WordDescription,
} from '#net/cli/description.ts'
import { type Place, placesOf, valueOptionNames } from '#net/cli/words.ts'

export function fishCompletion(program: CommandDescription): string {
  const name = program.path[0] ?? ''
  const places = placesOf(program)
  const known = places.filter(({ words }) => words !== '').map(({ words }) => quotedFish(` ${words}`))
  return `# Completion of ${name} for fish
# Whether the words so far are those of a command: __${name}_at WORD...
function __${name}_at
    set -l path ''
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word ${valueOptionNames(places).join(' ')}
            set skip 1
        else if contains -- "$path $word" ${known.join(' ')}
            set path "$path $word"
        end
    end
    test "$path" = (string join '' '' ' '$argv)
end
complete -c ${name} -f
${places.flatMap((place) => placeLines(name, place)).join('\n')}
`
}

function placeLines(name: string, { words, command, options }: Place): string[] {
  const start = `complete -c ${name} -n ${quotedFish(`__${name}_at ${words}`.trim())}`
  return [
    ...command.commands.map((child) => `${start} -a ${child.path.at(-1)} -d ${quotedFish(child.describe)}`),
    ...command.words
      .filter(hasValues)
      .map((word) => `${start} ${offer(word)} -d ${quotedFish(word.describe)}`),
    ...options.map((option) => `${start} ${optionWords(option)} -d ${quotedFish(option.describe)}`),
  ]
}

function optionWords(option: OptionDescription): string {
  const names = option.names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  )
  if (!option.takesValue) return names.join(' ')
  return `${names.join(' ')} ${hasValues(option) ? `-r ${offer(option)}` : '-x'}`
}

const hasValues = ({ values }: OptionDescription | WordDescription): boolean => values !== undefined

function offer({ values }: OptionDescription | WordDescription): string {
  if (values === 'file') return '-F'
  if (values === 'directory') return `-f -a '(__fish_complete_directories)'`
  return `-f -a ${quotedFish(values === 'interface' ? '(ls /sys/class/net)' : choicesOf(values).join(' '))}`
}

const quotedFish = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`
