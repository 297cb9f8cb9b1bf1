/** Completion script for zsh, a function for each command; to lie in a directory of $fpath as `_PROGRAM`. */
import {
  choicesOf,
  type CommandDescription,
  type OptionDescription,
  type WordDescription,
} from '#net/cli/description.ts'
import { type Place, placesOf, quoted } from '#net/cli/words.ts'

export function zshCompletion(program: CommandDescription): string {
  const name = program.path[0] ?? ''
  return `#compdef ${name}
# Completion of ${name} for zsh
${placesOf(program).map(placeFunction).join('\n')}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`
}

const functionName = (command: CommandDescription): string => `_${command.path.join('_')}`

function placeFunction({ command, options }: Place): string {
  const specs = options.flatMap(optionSpecs)
  const { commands, words } = command
  if (commands.length > 0)
    specs.push(quoted(`1: :((${commands.map(commandSpec).join(' ')}))`), quoted('*:: :->command'))
  else specs.push(...words.map((word, i) => quoted(`${i + 1}:${plain(word.name)}:${action(word)}`)))
  const calls = commands.map((child) => `      ${child.path.at(-1)}) ${functionName(child)} ;;`)
  const dispatch = `
  [[ $state == command ]] && case $words[1] in
${calls.join('\n')}
  esac`
  return `${functionName(command)}() {
  local curcontext="$curcontext" state line
  _arguments -s -C ${specs.join(' \\\n    ')}${commands.length > 0 ? dispatch : ''}
}`
}

/** One for each name, which exclude each other unless the option may be given again. */
function optionSpecs(option: OptionDescription): string[] {
  const { names, takesValue, describe } = option
  return names.map((name) => {
    const value = takesValue ? `:${plain(option.placeholder)}:${action(option)}` : ''
    const long = takesValue && name.startsWith('--') ? `${name}=` : name
    return quoted(`*${long}[${plain(describe)}]${value}`)
  })
}

const commandSpec = ({ path, describe }: CommandDescription): string =>
  `${path.at(-1)}\\:${JSON.stringify(plain(describe)).replaceAll(/[`$]/g, '\\$&')}`

function action({ values }: OptionDescription | WordDescription): string {
  const choices = choicesOf(values)
  if (choices.length > 0) return `(${choices.join(' ')})`
  if (values === 'interface') return '_net_interfaces'
  if (values === undefined) return ' '
  return values === 'file' ? '_files' : '_files -/'
}

/** Without what has a meaning within a specification. */
const plain = (text: string): string => text.replaceAll(/[\\[\]:]/g, '\\$&').replaceAll(/[\n"]/g, ' ')
