/**
 * Includes, macros and conditions (C11 6.10, as far as topology files use them): a file's tokens go in, the tokens of the
 * block language come out. What hostile files could make large is bounded: octets read, tokens made, depths.
 */
import { basename } from 'node:path'

import { Budget, TooMuch } from '#hub/topology/language/budget.ts'
import { ExpressionError, evaluate } from '#hub/topology/language/expression.ts'
import { Conditions } from '#hub/topology/language/conditions.ts'
import { isSameMacro, type Macro, parseDefinition } from '#hub/topology/language/macro.ts'
import type { Diagnostics, Place, SourceFile } from '#hub/topology/language/source.ts'
import { isMark, paste, spell } from '#hub/topology/language/spelling.ts'
import { type Token, tokenize } from '#hub/topology/language/token.ts'

const MAX_MACROS = 10_000
/** Macros whose arguments hold macros whose arguments ... */
const MAX_DEPTH = 64
const MAX_INCLUDE_DEPTH = 16

export interface PreprocessOptions {
  /** The file of that base name, of the set or of ours. */
  readonly include: (name: string) => { readonly file: SourceFile; readonly isBuiltin: boolean } | undefined
  readonly diagnostics: Diagnostics
}

/** @returns the tokens; undefined when a bound is passed, which is an error in `diagnostics` */
export function preprocess(file: SourceFile, options: PreprocessOptions): Token[] | undefined {
  return new Preprocessor(options).run(file)
}

/** A file, or an expansion, whose tokens are being read. */
interface Frame {
  readonly tokens: readonly Token[]
  at: number
  /** Undefined: a file. */
  readonly macro: Macro | undefined
  readonly isBuiltin: boolean
  readonly conditions: Conditions
}

class Preprocessor {
  readonly #options: PreprocessOptions
  readonly #macros = new Map<string, Macro>()
  readonly #expanding = new Set<Macro>()
  #frames: Frame[] = []
  readonly #budget: Budget
  #depth = 0

  constructor(options: PreprocessOptions) {
    this.#options = options
    this.#budget = new Budget(options.diagnostics)
  }

  run(file: SourceFile): Token[] | undefined {
    const out: Token[] = []
    this.#open(file, false)
    try {
      this.#expand(out)
      return out
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error
      return undefined
    }
  }

  #open(file: SourceFile, isBuiltin: boolean): void {
    this.#frames.push(this.#frame(tokenize(file, this.#options.diagnostics), undefined, isBuiltin))
  }

  #frame(tokens: readonly Token[], macro: Macro | undefined, isBuiltin = false): Frame {
    return { tokens, at: 0, macro, isBuiltin, conditions: new Conditions(this.#options.diagnostics) }
  }

  /** Reads to the end of all frames. */
  #expand(out: Token[]): void {
    for (let token = this.#next(); token; token = this.#next()) {
      if (!this.#tryExpand(token)) out.push(token)
    }
  }

  /** Puts a macro's expansion in place of its use. @returns false when the token is no macro's use */
  #tryExpand(token: Token): boolean {
    const macro = token.kind === 'word' && !token.isFinal ? this.#macros.get(token.text) : undefined
    if (macro === undefined || this.#expanding.has(macro)) return false
    let args: Token[][] = []
    if (macro.parameters !== undefined) {
      if (!isMark(this.#peek(), '(')) return false
      const found = this.#arguments(macro, token)
      if (found === undefined) return true // told
      args = found
    }
    const tokens = this.#substitute(macro, args, token)
    this.#expanding.add(macro)
    this.#frames.push(this.#frame(tokens, macro))
    return true
  }

  /** The next token that no directive takes; frames that have ended are left. */
  #next(): Token | undefined {
    for (;;) {
      const frame = this.#frames.at(-1)
      if (frame === undefined) return undefined
      const token = frame.tokens[frame.at]
      if (token === undefined) {
        this.#leave(frame)
        if (this.#frames.length === 0) return undefined
        continue
      }
      frame.at++
      if (frame.macro === undefined) {
        if (token.startsLine && token.kind === 'mark' && token.text === '#') {
          this.#directive(frame, token)
          continue
        }
        if (!frame.conditions.isOn) continue
        return token
      }
      // Its own name, brought up by itself, is not a use of it any more.
      const own = token.kind === 'word' ? this.#macros.get(token.text) : undefined
      return own !== undefined && this.#expanding.has(own) ? { ...token, isFinal: true } : token
    }
  }

  /** What `next` would give, if it is in the same frame or the ones below; directives in between end the look. */
  #peek(): Token | undefined {
    for (let i = this.#frames.length - 1; i >= 0; i--) {
      const frame = this.#frames[i]
      const token = frame?.tokens[frame.at]
      if (token === undefined) continue
      return frame?.macro === undefined && token.startsLine && token.text === '#' ? undefined : token
    }
    return undefined
  }

  #leave(frame: Frame): void {
    this.#frames.pop()
    if (frame.macro !== undefined) this.#expanding.delete(frame.macro)
    frame.conditions.end()
  }

  /** @returns the arguments as they stand; undefined when something is wrong with them, which is told */
  #arguments(macro: Macro, use: Token): Token[][] | undefined {
    const { diagnostics } = this.#options
    const wanted = macro.parameters?.length ?? 0
    const args: Token[][] = [[]]
    let depth = 0
    for (;;) {
      const token = this.#next()
      if (token === undefined) {
        diagnostics.error(use.place, `\`)\` is missing behind the arguments of ${macro.name}`)
        return undefined
      }
      this.#budget.expanded(use)
      const mark = token.kind === 'mark' ? token.text : ''
      if (mark === ')' && depth === 1) break
      if (mark === '(' && depth++ === 0) continue
      if (mark === ')') depth--
      const isLast = macro.isVariadic && args.length === wanted
      if (mark === ',' && depth === 1 && !isLast) args.push([])
      else args.at(-1)?.push(token)
    }
    if (wanted === 0 && args.length === 1 && args[0]?.length === 0) return []
    if (macro.isVariadic && args.length === wanted - 1) args.push([])
    if (args.length === wanted) return args
    const has = `${macro.name} takes ${wanted} argument${wanted === 1 ? '' : 's'}`
    diagnostics.error(use.place, `${has}, here ${args.length === 1 ? 'is' : 'are'} ${args.length}`)
    return undefined
  }

  /** The macro's body with its arguments, placed where the macro is used. */
  #substitute(macro: Macro, args: readonly Token[][], use: Token): Token[] {
    const { parameters = [], body } = macro
    const place: Place = { ...use.place, macro: use.place.macro === '' ? macro.name : use.place.macro }
    const out: Token[] = []
    const full: (Token[] | undefined)[] = []
    const indexOf = (token: Token | undefined): number =>
      token?.kind === 'word' ? parameters.indexOf(token.text) : -1
    const put = (token: Token, isSpaced: boolean, at: Place): void => {
      this.#budget.expanded(use)
      out.push({ ...token, place: at, isSpaced, startsLine: false })
    }
    for (let i = 0; i < body.length; i++) {
      const token = body[i]
      if (token === undefined) break
      const next = body[i + 1]
      if (isMark(token, '#') && indexOf(next) >= 0) {
        const arg = args[indexOf(next)] ?? []
        this.#budget.made(use, arg)
        const text = spell(arg)
        put({ ...token, kind: 'string', text }, token.isSpaced, place)
        i++
        continue
      }
      if (isMark(token, '##') && out.length > 0 && next !== undefined) {
        const index = indexOf(next)
        const right = index < 0 ? [next] : (args[index] ?? [])
        const left = out.pop()
        const [first, ...rest] = right
        if (left && first) this.#budget.made(use, [left, first])
        if (left) put(first ? paste(left, first) : left, left.isSpaced, left.place)
        for (const one of rest) put(one, one.isSpaced, one.place)
        i++
        continue
      }
      const index = indexOf(token)
      if (index < 0) {
        put(token, i === 0 ? use.isSpaced : token.isSpaced, place)
        continue
      }
      const raw = args[index] ?? []
      const isPasted = isMark(next, '##')
      const value = isPasted ? raw : (full[index] ??= this.#expandArgument(raw, use))
      value.forEach((one, n) => put(one, n === 0 ? token.isSpaced : one.isSpaced, one.place))
    }
    return out
  }

  /** An argument is expanded by itself, as if it were the rest of the file (C11 6.10.3.1). */
  #expandArgument(tokens: readonly Token[], use: Token): Token[] {
    if (!tokens.some(({ kind, text }) => kind === 'word' && this.#macros.has(text))) return [...tokens]
    if (++this.#depth > MAX_DEPTH) this.#budget.exceed(use, `macros are nested more than ${MAX_DEPTH} deep`)
    const frames = this.#frames
    const out: Token[] = []
    // A frame of no macro's that has no directives: none of its tokens starts a line.
    const plain = tokens.map((token) => (token.startsLine ? { ...token, startsLine: false } : token))
    this.#frames = [this.#frame(plain, undefined)]
    this.#expand(out)
    this.#frames = frames
    this.#depth--
    return out
  }

  // Directives.

  #directive(frame: Frame, hash: Token): void {
    const rest: Token[] = []
    for (let token = frame.tokens[frame.at]; token && !token.startsLine; token = frame.tokens[frame.at]) {
      rest.push(token)
      frame.at++
    }
    const [word, ...tokens] = rest
    if (word === undefined) return // a `#` alone
    const { conditions } = frame
    switch (word.text) {
      case 'if':
      case 'ifdef':
      case 'ifndef':
        if (conditions.isFull) this.#budget.exceed(word, 'conditions are nested too deeply')
        return conditions.begin(word, () => this.#holds(word, tokens))
      case 'elif':
        return conditions.elif(word, () => this.#evaluate(word, tokens))
      case 'else':
        return conditions.else(word)
      case 'endif':
        return conditions.endif(word)
    }
    if (!conditions.isOn) return
    switch (word.text) {
      case 'define':
        return this.#define(tokens, hash, frame.isBuiltin)
      case 'undef':
        if (tokens[0]?.kind === 'word') this.#macros.delete(tokens[0].text)
        else this.#error(word, '#undef needs a name')
        return
      case 'include':
        return this.#include(word, tokens)
      case 'error':
        return this.#error(word, `#error ${spell(tokens)}`)
      case 'warning':
        return this.#options.diagnostics.warn(word.place, `#warning ${spell(tokens)}`)
      case 'pragma':
      case 'line':
        return this.#options.diagnostics.warn(word.place, `#${word.text} is ignored`)
    }
    this.#error(
      word,
      `there is no directive #${word.text} (define, undef, include, if, ifdef, ifndef, elif, else, endif)`,
    )
  }

  #error(token: Token, message: string): void {
    this.#options.diagnostics.error(token.place, message)
  }

  #holds(word: Token, tokens: readonly Token[]): boolean {
    if (word.text === 'if') return this.#evaluate(word, tokens)
    const [name] = tokens
    if (name?.kind !== 'word') {
      this.#error(word, `#${word.text} needs a name`)
      return false
    }
    return this.#macros.has(name.text) === (word.text === 'ifdef')
  }

  #evaluate(word: Token, tokens: readonly Token[]): boolean {
    const replaced: Token[] = []
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]
      if (token === undefined) break
      if (token.kind !== 'word' || token.text !== 'defined') {
        replaced.push(token)
        continue
      }
      const isWrapped = isMark(tokens[i + 1], '(')
      const name = tokens[isWrapped ? i + 2 : i + 1]
      if (name?.kind !== 'word' || (isWrapped && tokens[i + 3]?.text !== ')')) {
        this.#error(token, '`defined` needs a name')
        return false
      }
      i += isWrapped ? 3 : 1
      replaced.push({ ...token, kind: 'number', text: this.#macros.has(name.text) ? '1' : '0' })
    }
    try {
      return evaluate(this.#expandArgument(replaced, word)) !== 0
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error
      this.#error(word, error.message)
      return false
    }
  }

  #define(tokens: readonly Token[], hash: Token, isBuiltin: boolean): void {
    const { diagnostics } = this.#options
    const macro = parseDefinition(tokens, hash.place, isBuiltin)
    if ('problem' in macro) return diagnostics.error(macro.place, macro.problem)
    if (macro.name === 'defined') return diagnostics.error(hash.place, '`defined` cannot be a macro')
    const before = this.#macros.get(macro.name)
    if (before !== undefined && !before.isBuiltin && !isBuiltin && !isSameMacro(before, macro))
      diagnostics.warn(hash.place, `${macro.name} is defined anew with another value; #undef it first`)
    // What a set defines before it includes ours stays: so it says which definition it wants.
    if (isBuiltin && before !== undefined && !before.isBuiltin) return
    if (before === undefined && this.#macros.size === MAX_MACROS)
      this.#budget.exceed(hash, `there are more than ${MAX_MACROS} macros; the file is not read any further`)
    this.#macros.set(macro.name, macro)
  }

  #include(word: Token, tokens: readonly Token[]): void {
    const { diagnostics, include } = this.#options
    const path = includePath(tokens)
    if (path === undefined) return this.#error(word, '#include needs a file name: #include "common.defs"')
    const found = include(basename(path))
    if (found === undefined)
      return diagnostics.warn(
        word.place,
        `${JSON.stringify(basename(path))} is neither in the file set nor one of ours: it is left out`,
      )
    const depth = this.#frames.filter(({ macro }) => macro === undefined).length
    if (depth >= MAX_INCLUDE_DEPTH)
      this.#budget.exceed(word, `files include each other more than ${MAX_INCLUDE_DEPTH} deep`)
    this.#budget.included(word, found.file.text.length)
    this.#open(found.file, found.isBuiltin)
  }
}

/** `"path"`, or `<path>`. */
function includePath(tokens: readonly Token[]): string | undefined {
  const [first] = tokens
  if (first?.kind === 'string') return first.text === '' ? undefined : first.text
  if (first?.text !== '<' || tokens.at(-1)?.text !== '>') return undefined
  return spell(tokens.slice(1, -1)) || undefined
}
