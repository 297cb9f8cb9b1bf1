/** Whatever a topology file says, it is read to its end, and what is wrong is told at a place that exists. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatSource } from '#hub/topology/format.ts'
import { mermaidGraph, svgGraph } from '#hub/topology/graph.ts'
import { formatDiagnostic } from '#hub/topology/language/source.ts'
import { readTopology } from '#hub/topology/read.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'

const word = fc.constantFrom(
  'config',
  'vm',
  'interface',
  'bridge',
  'install',
  'hostname',
  'memory',
  'setvar',
  'basedisk',
  'ncpus',
  'disk',
  '"a"',
  '"em0"',
  '"em1"',
  '"private0"',
  '"centos"',
  '"ENV(HOME)/active/a.conf"',
  '"/root/junos.conf"',
  '"',
  '{',
  '}',
  '{',
  '}',
  ';',
  '(',
  ')',
  ',',
  '#',
  '##',
  '\\\n',
  '\n',
  '\n',
  '//',
  '/*',
  '*/',
  '1',
  '0x10',
  '==',
  'EXTERNAL',
  'VJX1000_LATEST',
  'PRIVATE_BRIDGES',
  'TOPOLOGY_START(x)',
  'TOPOLOGY_END',
  'F',
  'F(',
  'G',
  'defined',
  'VMX_RE_START(r, 0)',
  'VMX_RE_END',
  'VMX_MPC_START(m, 0)',
  'VMX_MPC_END',
  'VMX_CONNECT(GE(0,0,1), x)',
  '\n#define F(a, b) a G b\n',
  '\n#define G F(1, F)\n',
  '\n#include "common.defs"\n',
  '\n#include "self"\n',
  '\n#if F\n',
  '\n#ifdef G\n',
  '\n#else\n',
  '\n#elif 1\n',
  '\n#endif\n',
  '\n#undef F\n',
)
const text = fc.oneof(
  { weight: 5, arbitrary: fc.array(word, { maxLength: 80 }).map((words) => words.join(' ')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
)

it(
  'topology files',
  () => {
    fc.assert(
      fc.property(text, (source) => {
        const file = { name: 'lab.vmm', text: source }
        const { topology, diagnostics } = readTopology(file, { paths: ['self'], read: () => source })
        expect(topology === undefined).toBe(diagnostics.errors > 0)
        for (const diagnostic of diagnostics.list) {
          const { line, column, file: where } = diagnostic.place
          const lines = where.text.split('\n')
          expect(line).toBeLessThanOrEqual(lines.length)
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1)
          expect(formatDiagnostic(diagnostic)).toContain(`:${line}:${column}: ${diagnostic.severity}: `)
        }
        const drawn = topology && mermaidGraph(topology) + svgGraph(topology)
        expect(drawn).not.toBe('')
        expect(formatSource(formatSource(source))).toBe(formatSource(source))
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)
