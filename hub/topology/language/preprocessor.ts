/**
 * Includes, macros and conditions (C11 6.10, as far as topology files use them): a file's tokens go in, the tokens of the
 * block language come out. What hostile files could make large is bounded: octets read, tokens made, depths.
 */
import { basename } from 'node:path'

import { ConditionError, evaluate } from '#hub/topology/language/condition.ts'
import { isSameMacro, type Macro, parseDefinition } from '#hub/topology/language/macro.ts'
import type { Diagnostics, Place, SourceFile } from '#hub/topology/language/source.ts'
import { type Token, tokenize } from '#hub/topology/language/token.ts'

/** Tokens that expansions may make, all together. */
const MAX_EXPANDED = 200_000
/** Characters of the words that `#` and `##` make of others, all together: each could be twice as long as the last. */
const MAX_MADE_CHARACTERS = 4 << 20
const MAX_MACROS = 10_000
/** Macros whose arguments hold macros whose arguments ... */
const MAX_DEPTH = 64
const MAX_INCLUDE_DEPTH = 16
/** Files that are read in again count again. */
const MAX_INCLUDED_CHARACTERS = 1 << 20
const MAX_NESTED_CONDITIONS = 64

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
  /** Of a file. */
  readonly conditions: Condition[]
}

interface Condition {
  readonly place: Place
  readonly isActive: boolean
  /** One of its branches was taken. */
  isTaken: boolean
  isOn: boolean
  hasElse: boolean
}

/** A bound was passed: nothing more is read. */
class TooMuch extends Error {}

class Preprocessor {
  readonly #options: PreprocessOptions
  readonly #macros = new Map<string, Macro>()
  readonly #expanding = new Set<Macro>()
  #frames: Frame[] = []
  #expanded = 0
  #made = 0
  #included = 0
  #depth = 0

  constructor(options: PreprocessOptions) {
    this.#options = options
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
    const tokens = tokenize(file, this.#options.diagnostics)
    this.#frames.push({ tokens, at: 0, macro: undefined, isBuiltin, conditions: [] })
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
    this.#frames.push({ tokens, at: 0, macro, isBuiltin: false, conditions: [] })
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
        if (frame.conditions.at(-1)?.isOn === false) continue
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
    for (const { place } of frame.conditions)
      this.#options.diagnostics.error(place, '#endif is missing for this condition')
    frame.conditions.length = 0
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
      this.#count(use)
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
      this.#count(use)
      out.push({ ...token, place: at, isSpaced, startsLine: false })
    }
    for (let i = 0; i < body.length; i++) {
      const token = body[i]
      if (token === undefined) break
      const next = body[i + 1]
      if (isMark(token, '#') && indexOf(next) >= 0) {
        const arg = args[indexOf(next)] ?? []
        this.#countMade(use, arg)
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
        if (left && first) this.#countMade(use, [left, first])
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
    if (++this.#depth > MAX_DEPTH) this.#tooMuch(use, `macros are nested more than ${MAX_DEPTH} deep`)
    const frames = this.#frames
    const out: Token[] = []
    // A frame of no macro's that has no directives: none of its tokens starts a line.
    const plain = tokens.map((token) => (token.startsLine ? { ...token, startsLine: false } : token))
    this.#frames = [{ tokens: plain, at: 0, macro: undefined, isBuiltin: false, conditions: [] }]
    this.#expand(out)
    this.#frames = frames
    this.#depth--
    return out
  }

  #count(use: Token): void {
    if (++this.#expanded > MAX_EXPANDED)
      this.#tooMuch(
        use,
        `the macros expand to more than ${MAX_EXPANDED} tokens; the file is not read any further`,
      )
  }

  /** One word is made of `parts`. */
  #countMade(use: Token, parts: readonly Token[]): void {
    for (const { text } of parts) this.#made += text.length + 1
    if (this.#made > MAX_MADE_CHARACTERS)
      this.#tooMuch(
        use,
        `the macros make words of more than ${MAX_MADE_CHARACTERS >> 20} MiB; the file is not read any further`,
      )
  }

  #tooMuch(token: Token, message: string): never {
    this.#options.diagnostics.error(token.place, message)
    throw new TooMuch()
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
    const condition = frame.conditions.at(-1)
    const isOn = condition?.isOn !== false
    switch (word.text) {
      case 'if':
      case 'ifdef':
      case 'ifndef':
        return this.#if(frame, word, tokens, isOn)
      case 'elif':
        return this.#elif(condition, word, tokens)
      case 'else':
        return this.#else(condition, word)
      case 'endif':
        if (frame.conditions.pop() === undefined) this.#error(word, '#endif without #if')
        return
    }
    if (!isOn) return
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

  #if(frame: Frame, word: Token, tokens: readonly Token[], isActive: boolean): void {
    if (frame.conditions.length === MAX_NESTED_CONDITIONS)
      this.#tooMuch(word, `conditions are nested more than ${MAX_NESTED_CONDITIONS} deep`)
    const isOn = isActive && this.#holds(word, tokens)
    frame.conditions.push({ place: word.place, isActive, isTaken: isOn, isOn, hasElse: false })
  }

  #holds(word: Token, tokens: readonly Token[]): boolean {
    if (word.text === 'if' || word.text === 'elif') return this.#evaluate(word, tokens)
    const [name] = tokens
    if (name?.kind !== 'word') {
      this.#error(word, `#${word.text} needs a name`)
      return false
    }
    return this.#macros.has(name.text) === (word.text === 'ifdef')
  }

  #elif(condition: Condition | undefined, word: Token, tokens: readonly Token[]): void {
    if (condition === undefined) return this.#error(word, '#elif without #if')
    if (condition.hasElse) return this.#error(word, '#elif behind #else')
    condition.isOn = condition.isActive && !condition.isTaken && this.#evaluate(word, tokens)
    condition.isTaken ||= condition.isOn
  }

  #else(condition: Condition | undefined, word: Token): void {
    if (condition === undefined) return this.#error(word, '#else without #if')
    if (condition.hasElse) return this.#error(word, 'a second #else')
    condition.hasElse = true
    condition.isOn = condition.isActive && !condition.isTaken
    condition.isTaken = true
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
      if (!(error instanceof ConditionError)) throw error
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
      this.#tooMuch(hash, `there are more than ${MAX_MACROS} macros; the file is not read any further`)
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
      this.#tooMuch(word, `files include each other more than ${MAX_INCLUDE_DEPTH} deep`)
    this.#included += found.file.text.length
    if (this.#included > MAX_INCLUDED_CHARACTERS)
      this.#tooMuch(word, `more than ${MAX_INCLUDED_CHARACTERS >> 20} MiB are included`)
    this.#open(found.file, found.isBuiltin)
  }
}

const isMark = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'mark' && token.text === text

/** `"path"`, or `<path>`. */
function includePath(tokens: readonly Token[]): string | undefined {
  const [first] = tokens
  if (first?.kind === 'string') return first.text === '' ? undefined : first.text
  if (first?.text !== '<' || tokens.at(-1)?.text !== '>') return undefined
  return spell(tokens.slice(1, -1)) || undefined
}

/** Tokens as text, one space where there was any (C11 6.10.3.2). */
function spell(tokens: readonly Token[]): string {
  return tokens
    .map(({ kind, text, isSpaced, startsLine }, i) => {
      const space = i > 0 && (isSpaced || startsLine) ? ' ' : ''
      return space + (kind === 'string' && tokens.length > 1 ? `\\"${text}\\"` : text)
    })
    .join('')
}

/** `private` ## `0` is one word. */
function paste(left: Token, right: Token): Token {
  const text = left.text + right.text
  if (left.kind === 'string' || right.kind === 'string') return { ...left, kind: 'string', text }
  const kind = /^[A-Za-z_]\w*$/.test(text) ? 'word' : /^[0-9]\w*$/.test(text) ? 'number' : 'mark'
  return { ...left, kind, text, isFinal: false }
}
