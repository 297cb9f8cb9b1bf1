import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { formatSource } from '#hub/topology/format.ts'
import { Diagnostics } from '#hub/topology/language/source.ts'
import { tokenize } from '#hub/topology/language/token.ts'

function words(text: string): { words: string[]; isWhole: boolean } {
  const diagnostics = new Diagnostics()
  const tokens = tokenize({ name: 'f', text }, diagnostics)
  return { words: tokens.map((token) => `${token.kind} ${token.text}`), isWhole: diagnostics.errors === 0 }
}

describe('formatSource', () => {
  it('indents braces and macros that begin and end something', () => {
    expect(
      formatSource(`

  #include "common.defs"
#define LOCAL_BRIDGES \\
bridge "a" {}; \\
      bridge "b" {};\r
   config "c" {
display "NULL"; // {


VMX_RE_START(r1, 0)
        install "{" "}";
VMX_RE_END
vm "a" {
/* {
     as it is
   */
interface "em0" { EXTERNAL; };
}; vm "b" {
memory 1;
}
};


`),
    ).toBe(`#include "common.defs"
#define LOCAL_BRIDGES \\
    bridge "a" {}; \\
    bridge "b" {};
config "c" {
    display "NULL"; // {

    VMX_RE_START(r1, 0)
        install "{" "}";
    VMX_RE_END
    vm "a" {
        /* {
     as it is
   */
        interface "em0" { EXTERNAL; };
    }; vm "b" {
        memory 1;
    }
};
`)
  })

  it('is empty for what is empty', () => {
    expect([formatSource(''), formatSource('\n \n')]).toEqual(['', ''])
  })

  const piece = fc.constantFrom(
    '{',
    '}',
    ';',
    '\n',
    '\n',
    ' ',
    '\t',
    '"a b"',
    '"{"',
    '// c\n',
    '/* {\n x */',
    'X_START(1)',
    'X_END',
    'vm',
    '#define A {\n',
    '#if 1\n',
    '#endif\n',
    '\\\n',
    '\r\n',
    '12',
    '"',
    '/*',
    '*/',
  )
  it('changes no word of any text without faults, and nothing when it is done again', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('')
        const once = formatSource(text)
        expect(formatSource(once)).toBe(once)
        // A string that is not closed ends with its line, whatever white space that ends with.
        const before = words(text)
        expect(before.isWhole ? words(once) : before).toEqual(before)
      }),
    )
  })
})
