import { describe, expect, it } from 'vitest'

import { preprocess } from '#hub/topology/language/preprocessor.ts'
import { Diagnostics } from '#hub/topology/language/source.ts'

function run(text: string, files: Record<string, string> = {}) {
  const diagnostics = new Diagnostics()
  const tokens = preprocess(
    { name: 'f', text },
    {
      diagnostics,
      include: (name) =>
        Object.hasOwn(files, name) ? { file: { name, text: files[name] ?? '' }, isBuiltin: true } : undefined,
    },
  )
  return {
    text: tokens?.map((token) => (token.kind === 'string' ? `"${token.text}"` : token.text)).join(' '),
    said: diagnostics.list.map(({ place, message }) => `${place.line}:${place.column}: ${message}`),
  }
}

const out = (text: string): string | undefined => {
  const { text: result, said } = run(text)
  expect(said).toEqual([])
  return result
}

describe('The preprocessor', () => {
  it.each([
    ['#define A x y\nA A', 'x y x y'],
    ['#define A\n[A]', '[ ]'],
    ['#define A 1 \\\n  2 \\\n  3\nA', '1 2 3'],
    ['#define F(a, b) b a\nF(1, (2, 3))', '( 2 , 3 ) 1'],
    ['#define F(a, b) <a b>\nF (1,\n2)', '< 1 2 >'],
    ['#define F() z\nF() F( ) F', 'z z F'],
    ['#define F(a) [a]\nF() F(F(F(1)))', '[ ] [ [ [ 1 ] ] ]'],
    ['#define F(a, ...) a: __VA_ARGS__\nF(1, 2, 3) F(1)', '1 : 2 , 3 1 :'],
    ['#define F(a) #a\nF(ge-0/0/1) F( a  b )', '"ge-0/0/1" "a b"'],
    ['#define N private\n#define F(a) #a\n#define G(a) F(a)\nF(N) G(N)', '"N" "private"'],
    ['#define F(a, b) a ## b\nF(private, 0) F(x,)', 'private0 x'],
    ['#define A B\n#define B A\nA B', 'A B'],
    ['#define F(a) F(a) + 1\nF(F(2))', 'F ( F ( 2 ) + 1 ) + 1'],
    ['#define f(a) a*g\n#define g(a) f(a)\nf(2)(9)', '2 * 9 * g'],
    [
      '#define G(f,p,n) ge-f/p/n\n#define C(i, b) D(i, b)\n#define D(i, b) #i #b\nC(G(0,0,1), p2)',
      '"ge-0/0/1" "p2"',
    ],
    ['//#define A 1\nA /* #define A 2 */ A', 'A A'],
    ['#define A 48  //MX240\nA', '48'],
    ['#undef A\n#define A 1\n#undef A\nA', 'A'],
    ['#define A 1\n#define A 1\nA', '1'],
    ['"A" /* " */ "\\"A"', '"A" "\\"A"'],
    ['#define A "x"\n"ENV(A)" A', '"ENV(A)" "x"'],
    ['#\n# define A 1\nA', '1'],
    ['a #define A', 'a # define A'],
  ])('makes of %j', (text, result) => {
    expect(out(text)).toBe(result)
  })

  it.each([
    ['1', 'yes'],
    ['0', 'no'],
    ['X == 3', 'no'],
    ['P == 3 && Q', 'yes'],
    ['defined P && !defined(R)', 'yes'],
    ['defined(R) || P > 2', 'yes'],
    ['(1 + 2 * 3 - 1) / 2 % 2 == 1', 'yes'],
    ['-1 < 0 != 0', 'yes'],
    ['0x10 >= 16 && 2 <= 1', 'no'],
  ])('takes #if %s for %s', (condition, which) => {
    expect(out(`#define P 3\n#define Q 1\n#if ${condition}\nyes\n#else\nno\n#endif`)).toBe(which)
  })

  it('takes one branch', () => {
    const rest = '#if X == 1\na\n#elif X == 2\nb\n#elif X > 1\nc\n#else\nd\n#if 1\ne\n#endif\n#endif'
    expect(['1', '2', '3', '0'].map((x) => out(`#define X ${x}\n${rest}`))).toEqual(['a', 'b', 'c', 'd e'])
    expect(out('#ifdef A\nx\n#if 1/0\n#endif\n#else\ny\n#endif\n#ifndef A\nz\n#endif')).toBe('y z')
  })

  it('reads other files, and lets a set define their macros itself', () => {
    const files = { a: '#include "b"\n#define N 1\n', b: '#define M N\n' }
    expect(run('#include <x/a>\nM', files)).toEqual({ text: '1', said: [] })
    expect(run('#define N 2\n#include "a"\nM', files)).toEqual({ text: '2', said: [] })
    expect(run('#include "a"\n#define N 3\nM', files)).toEqual({ text: '3', said: [] })
  })

  it.each([
    ['#define A 1\n#define A 2', '2:1: A is defined anew with another value; #undef it first'],
    ['#define', '1:1: #define needs a name'],
    ['#define 1', '1:9: #define needs a name'],
    ['#define F(a', '1:9: `,` or `)` is missing behind the parameter a'],
    ['#define F(a, a) x', '1:14: the parameter a is there twice'],
    ['#define F(1) x', '1:11: the parameters of F need names, and `)` at their end'],
    ['#define F(a) <a>\nF (1,\n2)', '2:1: F takes 1 argument, here are 2'],
    ['#define F(a) x\nF(1', '2:1: `)` is missing behind the arguments of F'],
    ['#undef', '1:2: #undef needs a name'],
    ['#include', '1:2: #include needs a file name: #include "common.defs"'],
    ['#if\n#endif', '1:2: the expression ends too early'],
    ['#if 1 +\n#endif', '1:2: the expression ends too early'],
    ['#if 1 / 0\n#endif', '1:2: division by zero'],
    ['#if 1 2\n#endif', '1:2: unexpected 2 in an expression'],
    ['#if (1\n#endif', '1:2: `)` is missing'],
    ['#if 1x\n#endif', '1:2: 1x is not a whole number'],
    ['#if "a"\n#endif', '1:2: unexpected string in an expression'],
    ['#if defined\n#endif', '1:5: `defined` needs a name'],
    ['#ifdef\n#endif', '1:2: #ifdef needs a name'],
    ['#else', '1:2: #else without #if'],
    ['#elif 1', '1:2: #elif without #if'],
    ['#endif', '1:2: #endif without #if'],
    ['#if 0\n#else\n#else\n#endif', '3:2: a second #else'],
    ['#if 0\n#else\n#elif 1\n#endif', '3:2: #elif behind #else'],
    ['#error no  more', '1:2: #error no more'],
    ['#pragma once', '1:2: #pragma is ignored'],
  ])('says what is wrong with %j', (text, message) => {
    expect(run(text).said).toEqual([message])
  })

  /** A megabyte of each, or what a few lines make of themselves. */
  const MEGABYTE = 1 << 20
  const fill = (text: string): string => text.repeat(Math.floor(MEGABYTE / text.length))
  it.each([
    [
      'doubling macros',
      `#define A0 x x\n${Array.from({ length: 40 }, (_, i) => `#define A${i + 1} A${i} A${i}\n`).join('')}A40`,
    ],
    ['an argument in itself', `#define F(x) x x\n${'F('.repeat(200_000)}1${')'.repeat(200_000)}`],
    ['pasted words', `#define C(x) x##x\n#define D(x) C(x)\n${'D('.repeat(50)}a${')'.repeat(50)}`],
    ['strings', `#define S(x) #x\n#define D(x) S(x x)\n${'D('.repeat(50)}a${')'.repeat(50)}`],
    ['parameters', `#define F(${Array.from({ length: 45_000 }, (_, i) => `p${i}`).join()}) ${fill('q ')}`],
    ['conditions in each other', fill('#if 1\n')],
    ['a definition', `#define A ${fill('x ')}\nA A A`],
    ['definitions', Array.from({ length: 60_000 }, (_, i) => `#define M${i} ${i}\n`).join('')],
    ['uses', `#define A A\n${fill('A ')}`],
    ['parentheses', `#if ${fill('(')}`],
    ['words', fill('x\n')],
    ['one line of words', fill('x ')],
    ['arguments', `#define A(x) x\nA(${fill('1,')})`],
    ['itself included', fill('#include "f"\n')],
  ])('ends soon with an error on a megabyte of %s', (_what, text) => {
    const before = process.cpuUsage()
    const { said } = run(text, { f: fill('y\n') })
    const { user, system } = process.cpuUsage(before)
    expect(said.length).toBeGreaterThan(0)
    // Contract: under a second; asserted at twice its value, of processor time.
    expect((user + system) / 1e6).toBeLessThan(2)
  })
})
