/** The VLAN table against the pure switch: flooded and to a known address, as frames and as super-frames. */
import { describe, expect, it } from 'vitest'
import { parseTags } from '#test/conformance/tag-text.ts'
import { outcomeOf, vlanCases, waysOf } from '#test/conformance/vlan-case.ts'
import { KINDS, MEMBERS } from '#test/conformance/vlan-table.ts'

const CASES = vlanCases()

/** What a frame is to a port whose TPID is 0x8100. */
function kindOf(frame: string): string {
  const { tags, isCut } = parseTags(frame)
  const [outer] = tags
  if (isCut) return 'cut short'
  if (outer === undefined) return 'untagged'
  if (outer.tpid !== 0x8100) return 'foreign TPID'
  if (outer.vid === 4095) return 'VID 4095'
  if (outer.vid === 0) return 'priority-tagged'
  if (tags.length > 1) return 'double-tagged'
  return MEMBERS.includes(outer.vid) ? 'member' : 'non-member'
}

const FRAME_KINDS = [
  'untagged',
  'priority-tagged',
  'member',
  'non-member',
  'double-tagged',
  'foreign TPID',
  'VID 4095',
  'cut short',
]

describe('the table', () => {
  it('has a row for each frame between each two kinds of ports, and none twice', () => {
    const seen = new Set(CASES.map(({ from, frame, to }) => `${from} | ${kindOf(frame)} | ${to}`))
    const wanted = KINDS.flatMap((from) =>
      FRAME_KINDS.flatMap((kind) => KINDS.map((to) => `${from} | ${kind} | ${to}`)),
    )
    expect(wanted.filter((one) => !seen.has(one))).toEqual([])
    const cases = CASES.map(({ from, frame, to }) => `${from} | ${frame} | ${to}`)
    expect(cases.filter((one, i) => cases.indexOf(one) !== i)).toEqual([])
  })

  it('names a clause or our own definition in each row', () => {
    const clause = /^(?:6\.9\.[123]|8\.6\.[24]|9\.[56]|15\.3|mode .+)( |$)/
    expect(CASES.filter((row) => !clause.test(row.clause))).toEqual([])
  })
})

describe.each([...new Set(CASES.map(({ from }) => from))])('from a port %s', (from) => {
  const rows = CASES.filter((row) => row.from === from)
  it.each(rows)('$frame leaves $to as $leaves ($clause)', (row) => {
    const { vlan, leaves } = row
    const ways = waysOf(row)
    const outcomes = ways.map((way) => ({ way, ...outcomeOf(row, way) }))
    expect(outcomes).toEqual(ways.map((way) => ({ way, vlan, leaves })))
  })
})
