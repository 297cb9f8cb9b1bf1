import { describe, expect, it } from 'vitest'
import { failed, ok } from '#agent/doctor/finding.ts'
import { formatFinding, formatSkipped, formatSummary } from '#agent/doctor/page.ts'

const LONG =
  'frames to addresses of other machines do not come in, whatever is done on this side of the cable'

describe('the page', () => {
  it('sets findings in columns, and remedies off, within 80 columns', () => {
    const text = formatFinding({ title: 'promiscuous' }, failed(LONG, `${LONG}: ip link`), false)
    expect(text).toBe(
      [
        '  FAILED   promiscuous     frames to addresses of other machines do not come',
        '                           in, whatever is done on this side of the cable',
        '                           -> frames to addresses of other machines do not come',
        '                              in, whatever is done on this side of the cable:',
        '                              ip link',
        '',
      ].join('\n'),
    )
  })

  it('colours the word alone, so that all is said without', () => {
    const plain = formatFinding({ title: 'MTU' }, ok('1500'), false)
    expect(plain).toBe('  ok       MTU             1500\n')
    expect(formatFinding({ title: 'MTU' }, ok('1500'), true)).toBe(
      '  \u001B[32mok     \u001B[0m  MTU             1500\n',
    )
  })

  it('leaves a word whole that is longer than a line', () => {
    const path = `/${'x'.repeat(90)}`
    expect(formatFinding({ title: 'key' }, ok(`see ${path} there`), false).split('\n')).toHaveLength(4)
  })

  it('has nothing of others that a terminal obeys', () => {
    expect(formatFinding({ title: 'SSH' }, ok('a\u001b[2Jb'), false)).toBe(
      '  ok       SSH             a\ufffd[2Jb\n',
    )
  })

  it('tells what was skipped together', () => {
    expect(formatSkipped(['MTU'], 'interface')).toBe('  skipped  MTU: it needs "interface"\n')
    const text = formatSkipped(
      Array.from({ length: 20 }, (_, i) => `check ${i}`),
      'interface',
    )
    expect(text).toMatch(/ they\s+need\s+"interface"\n$/)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(80)
  })

  it('sums up', () => {
    expect(formatSummary({ ok: 3, warning: 0, failed: 1, unknown: 0, skipped: 2 })).toBe(
      '\n3 ok, 1 failed, 2 skipped\n',
    )
  })
})
