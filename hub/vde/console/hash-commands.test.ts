import { describe, expect, it } from 'vitest'
import { ConsoleLab } from '#test/support/console-lab.ts'
import { BROADCAST, frameOf, host } from '#test/support/switch-lab.ts'

const EMPTY = "0000 DATA END WITH '.'\n.\n"
const INVALID = '1022 Invalid argument\n'

function makeLab(): ConsoleLab {
  const lab = new ConsoleLab()
  lab.plug(1).inject(frameOf(BROADCAST, host(1), ''))
  lab.plug(1023).inject(frameOf(BROADCAST, host(1), '8100.5'))
  lab.now = 12_345
  return lab
}

describe('hash', () => {
  it('prints what was learnt', () => {
    const lines = makeLab().ask('hash/print')
    for (const line of lines) expect(line).toMatch(/^Hash: \d{4,5} Addr: /)
    expect(lines.map((line) => line.replace(/^Hash: \d+ /, ''))).toEqual([
      'Addr: 02:00:00:00:00:01 VLAN 0000 to port: 001  age 12 secs',
      'Addr: 02:00:00:00:00:01 VLAN 0005 to port: 1023  age 12 secs',
    ])
  })

  it('finds an address however it is written', () => {
    const lab = makeLab()
    const [untagged, tagged] = lab.ask('hash/print')
    for (const mac of ['02:00:00:00:00:01', '2:0:0:0:0:1', '02.00.00.00.00.01 0'])
      expect(lab.ask(`hash/find ${mac}`)).toEqual([untagged])
    expect(lab.ask('hash/find 02:00:00:00:00:01 5')).toEqual([tagged])
    for (const line of ['hash/find 02:00:00:00:00:01 6', 'hash/find 02:00:00:00:00:02'])
      expect(lab.say(line)).toBe(`${EMPTY}1019 No such device\n`)
    for (const mac of [
      '',
      'x',
      '02:00:00:00:00',
      '02:00:00:00:00:01:02',
      '02:00.00:00:00:01',
      '02:00:00:00:00:01 x',
    ])
      expect(lab.say(`hash/find ${mac}`)).toBe(EMPTY + INVALID)
  })

  it('says how large and how old it may be', () => {
    const lab = makeLab()
    expect(lab.say('hash/setexpire 50')).toBe('1000 Success\n')
    expect(lab.ask('hash/showinfo')).toEqual([
      'Hash size 16384',
      'GC interval 1 secs',
      'GC expire 50 secs',
      'Min persistence 0 secs',
    ])
    expect(lab.say('hash/setexpire x')).toBe(INVALID)
    expect(lab.say('hash/setexpire 5')).toMatch(/^1022 Invalid argument: ageing=5 is not valid/)
  })

  it('is emptied by setting its size', () => {
    const lab = makeLab()
    expect(lab.say('hash/setsize 128')).toBe(
      '1038 Function not implemented: the table holds 16384 addresses\n',
    )
    for (const word of ['', '0', '-1']) expect(lab.say(`hash/setsize ${word}`)).toBe(INVALID)
    expect(lab.ask('hash/print')).toHaveLength(2)
    expect(lab.say('hash/setsize 16384')).toBe('1000 Success\n')
    expect(lab.ask('hash/print')).toEqual([])
  })
})
