/** Completion script for bash, 4.1 or later. It needs no other script. */
import {
  choicesOf,
  type CommandDescription,
  type OptionDescription,
  type WordDescription,
} from '#net/cli/description.ts'
import { type Place, placesOf, quoted, valueOptionNames } from '#net/cli/words.ts'

export function bashCompletion(program: CommandDescription): string {
  const name = program.path[0] ?? ''
  const places = placesOf(program)
  const commands = places.filter(({ words }) => words !== '').map(({ words }) => quoted(` ${words}`))
  return `# Completion of ${name} for bash
_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path= i
  # bash breaks words at the equals sign
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${valueOptionNames(places).join('|')}) ((i++)); [[ \${COMP_WORDS[i]} == = ]] && ((i++)) ;;
      *) case "$path \${COMP_WORDS[i]}" in ${commands.join('|')}) path="$path \${COMP_WORDS[i]}" ;; esac ;;
    esac
  done
  COMPREPLY=()
  case "$path" in
${places.map(placeCase).join('\n')}
  esac
}
complete -F _${name} ${name}
`
}

function placeCase({ words, command, options }: Place): string {
  const path = words === '' ? "''" : quoted(` ${words}`)
  const values = options.filter((option) => option.takesValue).map(optionCase)
  const names = options.flatMap((option) => option.names)
  const offered = [
    ...command.commands.map((child) => child.path.at(-1) ?? ''),
    ...command.words.flatMap((word) => choicesOf(word.values)),
  ]
  const others = command.words.map(generator).filter((text) => text !== '')
  return `    ${path})
      case $prev in
${[...values, `        *) if [[ $cur == -* ]]; then ${offer(names)}; else ${[offer(offered), ...others].join('; ')}; fi ;;`].join('\n')}
      esac ;;`
}

const optionCase = (option: OptionDescription): string =>
  `        ${option.names.join('|')}) ${generator(option) || offer(choicesOf(option.values))} ;;`

const offer = (words: readonly string[]): string =>
  words.length === 0 ? ':' : `mapfile -t COMPREPLY < <(compgen -W ${quoted(words.join(' '))} -- "$cur")`

/** Of values that the machine knows; empty: there are none. */
function generator({ values }: OptionDescription | WordDescription): string {
  if (values === undefined || Array.isArray(values)) return ''
  if (values === 'interface') return `mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net)" -- "$cur")`
  return `mapfile -t COMPREPLY < <(compgen -${values === 'file' ? 'f' : 'd'} -- "$cur"); compopt -o filenames 2>/dev/null`
}
