/** `#define`: names that stand for tokens, with and without parameters. */
import type { Place } from '#hub/topology/language/source.ts'
import type { Token } from '#hub/topology/language/token.ts'

export interface Macro {
  readonly name: string
  /** Undefined: used without parentheses. */
  readonly parameters: readonly string[] | undefined
  /** The last parameter takes all arguments that are left. */
  readonly isVariadic: boolean
  readonly body: readonly Token[]
  /** In a file of ours: a set may define it anew. */
  readonly isBuiltin: boolean
}

const VARIADIC = '__VA_ARGS__'
/** C11 5.2.4.1 asks for 127. */
const MAX_PARAMETERS = 256

/**
 * Reads what stands behind `#define`.
 * @returns the macro, or where and what is wrong
 */
export function parseDefinition(
  tokens: readonly Token[],
  directive: Place,
  isBuiltin: boolean,
): Macro | { readonly place: Place; readonly problem: string } {
  const [name, open] = tokens
  if (name === undefined || name.kind !== 'word')
    return { place: name?.place ?? directive, problem: '#define needs a name' }
  // Only a parenthesis that touches the name begins parameters.
  if (open?.text !== '(' || open.kind !== 'mark' || open.isSpaced)
    return { name: name.text, parameters: undefined, isVariadic: false, body: tokens.slice(1), isBuiltin }
  const parameters: string[] = []
  let isVariadic = false
  let at = 2
  const problem = (text: string) => ({ place: tokens[at]?.place ?? name.place, problem: text })
  if (tokens[at]?.text === ')') at++
  else
    for (;;) {
      const dots = tokens.slice(at, at + 3)
      if (dots.length === 3 && dots.every(({ kind, text }) => kind === 'mark' && text === '.')) {
        isVariadic = true
        parameters.push(VARIADIC)
        at += 3
        if (tokens[at]?.text !== ')') return problem('`)` is missing behind `...`')
        at++
        break
      }
      const token = tokens[at]
      if (token?.kind !== 'word')
        return problem(`the parameters of ${name.text} need names, and \`)\` at their end`)
      if (parameters.length === MAX_PARAMETERS)
        return problem(`${name.text} has more than ${MAX_PARAMETERS} parameters`)
      if (parameters.includes(token.text)) return problem(`the parameter ${token.text} is there twice`)
      parameters.push(token.text)
      at++
      const separator = tokens[at++]?.text
      if (separator === ')') break
      if (separator !== ',') {
        at--
        return problem(`\`,\` or \`)\` is missing behind the parameter ${token.text}`)
      }
    }
  return { name: name.text, parameters, isVariadic, body: tokens.slice(at), isBuiltin }
}

/** The same but for white space (C11 6.10.3). */
export const isSameMacro = (a: Macro, b: Macro): boolean =>
  (a.parameters ?? ['']).join() === (b.parameters ?? ['']).join() &&
  (a.parameters === undefined) === (b.parameters === undefined) &&
  a.body.length === b.body.length &&
  a.body.every(({ kind, text }, i) => kind === b.body[i]?.kind && text === b.body[i]?.text)
