/** The expression after `#if` and `#elif`: integers, as C has them (C11 6.10.1), macros already expanded. */
import type { Token } from '#hub/topology/language/token.ts'

/** Parentheses and signs inside each other. */
const MAX_DEPTH = 64

/** By how tightly they bind. */
const BINARY: readonly Record<string, (a: number, b: number) => number>[] = [
  { '||': (a, b) => Number(a !== 0 || b !== 0) },
  { '&&': (a, b) => Number(a !== 0 && b !== 0) },
  { '==': (a, b) => Number(a === b), '!=': (a, b) => Number(a !== b) },
  {
    '<': (a, b) => Number(a < b),
    '>': (a, b) => Number(a > b),
    '<=': (a, b) => Number(a <= b),
    '>=': (a, b) => Number(a >= b),
  },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  {
    '*': (a, b) => a * b,
    '/': (a, b) => Math.trunc(divide(a, b)),
    '%': (a, b) => a - b * Math.trunc(divide(a, b)),
  },
]

/** What is wrong with the expression, and at which of its tokens; -1: at its end. */
export class ExpressionError extends Error {
  readonly index: number
  constructor(index: number, message: string) {
    super(message)
    this.index = index
  }
}

function divide(a: number, b: number): number {
  if (b === 0) throw new ExpressionError(-1, 'division by zero')
  return a / b
}

/** Words that are left count as 0. @throws ExpressionError */
export function evaluate(tokens: readonly Token[]): number {
  let at = 0
  let depth = 0
  const fail = (message: string): never => {
    throw new ExpressionError(at < tokens.length ? at : -1, message)
  }
  const binary = (level: number): number => {
    const operators = BINARY[level]
    if (operators === undefined) return unary()
    let left = binary(level + 1)
    for (;;) {
      const token = tokens[at]
      const operator = token?.kind === 'mark' ? operators[token.text] : undefined
      if (operator === undefined) return left
      at++
      left = operator(left, binary(level + 1))
    }
  }
  const unary = (): number => {
    if (++depth > MAX_DEPTH) return fail('the expression is nested too deeply')
    try {
      const token = tokens[at]
      if (token === undefined) return fail('the expression ends too early')
      at++
      if (token.kind === 'word') return 0
      if (token.kind === 'number') return numberOf(token.text) ?? fail(`${token.text} is not a whole number`)
      if (token.text === '!') return Number(unary() === 0)
      if (token.text === '-') return -unary()
      if (token.text === '+') return unary()
      if (token.text !== '(' || token.kind === 'string') {
        at--
        return fail(`unexpected ${token.kind === 'string' ? 'string' : token.text} in an expression`)
      }
      const value = binary(0)
      if (tokens[at]?.text !== ')') return fail('`)` is missing')
      at++
      return value
    } finally {
      depth--
    }
  }
  const value = binary(0)
  return at === tokens.length ? value : fail(`unexpected ${tokens[at]?.text ?? ''} in an expression`)
}

/** `33`, `0x21`; undefined for anything else. */
export function numberOf(text: string): number | undefined {
  if (!/^(?:[0-9]+|0[xX][0-9A-Fa-f]+)$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}
