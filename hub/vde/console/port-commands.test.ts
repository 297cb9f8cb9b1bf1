import { describe, expect, it } from 'vitest'
import { parsePortMode } from '#net/switch/port-mode.ts'
import { ConsoleLab } from '#test/support/console-lab.ts'
import { BROADCAST, frameOf, host } from '#test/support/switch-lab.ts'

const INVALID = '1022 Invalid argument\n'
const ABSENT = '1006 No such device or address\n'
const EMPTY = "0000 DATA END WITH '.'\n.\n"
const COUNTERS = [
  ' IN:  pkts          0          bytes                    0',
  ' OUT: pkts          0          bytes                    0',
]

describe('port/print', () => {
  it('shows ports that are up, port/allprint all', () => {
    const lab = new ConsoleLab()
    lab.plug(1)
    lab.plug(2, 'tunnel:ann@site:eth1')
    lab.say('port/create 3')
    lab.ports.get(1)?.inject(frameOf(BROADCAST, host(1), ''))
    const up = [
      'Port 0001 untagged_vlan=0000 QnQ,Strict=0000,0 ACTIVE - Unnamed Allocatable',
      ' Current User: NONE Access Control: (User: NONE - Group: NONE)',
      ' IN:  pkts          1          bytes                   60',
      ' OUT: pkts          0          bytes                    0',
      '  -- endpoint ID 0000 module nic         : eth1',
      'Port 0002 untagged_vlan=0000 QnQ,Strict=0000,0 ACTIVE - Unnamed Allocatable',
      ' Current User: NONE Access Control: (User: NONE - Group: NONE)',
      ' IN:  pkts          0          bytes                    0',
      ' OUT: pkts          1          bytes                   60',
      '  -- endpoint ID 0000 module tunnel      : ann@site:eth1',
    ]
    const third = [
      'Port 0003 untagged_vlan=0000 QnQ,Strict=0000,0 INACTIVE - NOT Unnamed Allocatable',
      ' Current User: NONE Access Control: (User: NONE - Group: NONE)',
      ...COUNTERS,
    ]
    expect(lab.ask('port/print')).toEqual(up)
    expect(lab.ask('port/print 0x2')).toEqual(up.slice(5))
    expect(lab.ask('port/allprint')).toEqual([...up, ...third])
    expect(lab.ask('port/allprint 3')).toEqual(third)
    expect(lab.say('port/print 3')).toBe(EMPTY + ABSENT)
    expect(lab.say('port/allprint 4')).toBe(EMPTY + ABSENT)
    for (const word of ['0', '1025', 'x', '-1', '1.5'])
      expect(lab.say(`port/print ${word}`)).toBe(EMPTY + INVALID)
  })

  it('shows VDE clients, on one line each whatever they call themselves', () => {
    const lab = new ConsoleLab()
    lab.plugVde(4, { id: 12, uid: 1000, description: 'vdeplug: user=ann pid=9' })
    lab.plugVde(4, { id: 14, uid: 1000, description: 'x\n.\n1000 Success\n\u001b[2J\u202eé' })
    expect(lab.ask('port/print')).toEqual([
      'Port 0004 untagged_vlan=0000 QnQ,Strict=0000,0 ACTIVE - Unnamed Allocatable',
      ' Current User: ann Access Control: (User: NONE - Group: NONE)',
      ...COUNTERS,
      '  -- endpoint ID 0012 module unix prog   : vdeplug: user=ann pid=9',
      '  -- endpoint ID 0014 module unix prog   : x?.?1000 Success??[2J?é',
    ])
  })

  it.each([
    ['mode=access,vlan=10', 'untagged_vlan=0010 QnQ,Strict=0000,1'],
    ['mode=trunk,native=7,tagged=1-3', 'untagged_vlan=0007 QnQ,Strict=0000,0'],
    ['mode=trunk', 'untagged_vlan=4095 QnQ,Strict=0000,0'],
    ['mode=tunnel,qnq=100', 'untagged_vlan=0000 QnQ,Strict=0100,0'],
    ['mode=tunnel,qnq=4094,strict=1,tpid=88a8', 'untagged_vlan=0000 QnQ,Strict=4094,1'],
  ])('shows %s', (mode, columns) => {
    const lab = new ConsoleLab()
    lab.plug(1)
    lab.bridge.switch.setMode(lab.bridge.switch.portList[0] ?? fail(), parsePortMode(mode))
    expect(lab.ask('port/print')[0]).toBe(`Port 0001 ${columns} ACTIVE - Unnamed Allocatable`)
  })
})

const fail = (): never => {
  throw new Error('no port')
}

describe('ports', () => {
  it('are made and removed', () => {
    const lab = new ConsoleLab()
    expect(lab.ask('port/createauto')).toEqual(['Port 0001'])
    expect(lab.say('port/create 3')).toBe('1000 Success\n')
    expect(lab.say('port/create 3')).toBe('1017 File exists\n')
    expect(lab.say('port/create 0')).toBe('1000 Success\n')
    expect(lab.bridge.switch.portList.map(({ number }) => number)).toEqual([1, 2, 3])
    for (const word of ['', '1025', '-3', 'x']) expect(lab.say(`port/create ${word}`)).toBe(INVALID)
    lab.say('port/setuser 3 ann')
    expect(lab.say('port/remove 3')).toBe('1000 Success\n')
    expect(lab.bridge.access.of(3).user).toBeNull()
    expect(lab.say('port/remove 3')).toBe(ABSENT)
  })

  it('are at most 1024', () => {
    const lab = new ConsoleLab()
    for (let i = 1; i <= 1024; i++) lab.say('port/createauto')
    expect(lab.say('port/createauto')).toBe(`${EMPTY}1028 No space left on device\n`)
    expect(lab.say('port/create 5')).toBe('1028 No space left on device\n')
    expect(lab.ask('port/allprint')).toHaveLength(4 * 1024)
  })

  it('are not removed while something is plugged in, or may come back', () => {
    const lab = new ConsoleLab()
    lab.plug(1)
    expect(lab.say('port/remove 1')).toBe('1098 Address already in use\n')
    const entry = lab.bridge.switch.entry(1) ?? fail()
    entry.isReserved = true
    entry.disconnect()
    expect(lab.say('port/remove 1')).toBe('1098 Address already in use\n')
    entry.isReserved = false
    expect(lab.say('port/remove 1')).toBe('1000 Success\n')
  })

  it('are for those who may use them', () => {
    const lab = new ConsoleLab()
    lab.say('port/create 2')
    expect(lab.say('port/allocatable 2 1')).toBe('1000 Success\n')
    expect(lab.say('port/setuser 2 ann')).toBe('1000 Success\n')
    expect(lab.say('port/setgroup 2 4711')).toBe('1000 Success\n')
    expect(lab.ask('port/allprint 2').slice(0, 2)).toEqual([
      'Port 0002 untagged_vlan=0000 QnQ,Strict=0000,0 INACTIVE - Unnamed Allocatable',
      ' Current User: NONE Access Control: (User: ann - Group: 4711)',
    ])
    expect(lab.say('port/setuser 2 NONE')).toBe('1000 Success\n')
    expect(lab.say('port/setgroup 2 ANY')).toBe('1000 Success\n')
    expect(lab.bridge.access.of(2)).toEqual({ allocatable: true, user: null, group: null })
    for (const line of ['port/setuser 2 nosuch', 'port/setuser 2', 'port/setuser', 'port/allocatable 2 2'])
      expect(lab.say(line)).toBe(INVALID)
    expect(lab.say('port/setgroup 9 root')).toBe(ABSENT)
  })

  it('are unplugged', () => {
    const lab = new ConsoleLab()
    lab.plug(1)
    expect(lab.say('port/epclose 1 0')).toBe(ABSENT)
    lab.plugVde(2, { id: 7, uid: 0, description: '' })
    expect(lab.say('port/epclose 1 7')).toBe(ABSENT)
    expect(lab.say('port/epclose 2 7')).toBe('1000 Success\n')
    expect(lab.plugs).toEqual([])
    expect(lab.say('port/epclose 2')).toBe(INVALID)
  })

  it('count from 0 again', () => {
    const lab = new ConsoleLab()
    const [one, two] = [lab.plug(1), lab.plug(2)]
    const inject = (): void => one.inject(frameOf(BROADCAST, host(1), ''))
    inject()
    expect(lab.say('port/resetcounter 1')).toBe('1000 Success\n')
    expect([one.counters.inFrames, two.counters.outFrames]).toEqual([0, 1])
    expect(lab.say('port/resetcounter')).toBe('1000 Success\n')
    expect(two.counters.outFrames).toBe(0)
    expect(lab.say('port/resetcounter 3')).toBe(ABSENT)
  })

  it('are all transparent, or have VLANs', () => {
    const lab = new ConsoleLab()
    lab.plug(1)
    lab.plug(2)
    expect(lab.say('set/port 2 mode=access,vlan=10')).toBe('1000 Success\n')
    expect(lab.ask('port/showinfo')).toContain('HUB=false')
    expect(lab.say('port/sethub 0')).toBe('1000 Success\n')
    expect(lab.ask('set/print')).toEqual([
      'Bridge private0',
      'Port 0001 mode=trunk,native=0,tagged=none,tpid=8100',
      'Port 0002 mode=access,vlan=10',
    ])
    expect(lab.say('port/sethub 1')).toBe('1000 Success\n')
    expect(lab.ask('set/print')).toEqual(['Bridge private0', 'Port 0001', 'Port 0002'])
    expect(lab.ask('port/showinfo')).toContain('HUB=true')
    for (const line of ['port/sethub', 'port/sethub 2']) expect(lab.say(line)).toBe(INVALID)
  })
})

describe('set', () => {
  it('changes what the operator’s command line changes', () => {
    const lab = new ConsoleLab()
    lab.say('port/create 1')
    expect(lab.say('set/bridge ageing=60')).toBe('1000 Success\n')
    expect(lab.bridge.switch.table.ageingMs).toBe(60_000)
    expect(lab.ask('set/print')).toEqual(['Bridge private0 ageing=60', 'Port 0001'])
    expect(lab.say('set/bridge ageing=1')).toBe(
      '1022 Invalid argument: ageing=1 is not valid: it is 10 to 1000000 seconds (IEEE 802.1Q)\n',
    )
    expect(lab.say('set/port 1 mode=access,vlan=5000')).toBe(
      '1022 Invalid argument: port option vlan=5000 is not valid: it takes a VLAN from 0 to 4094\n',
    )
    expect(lab.say('set/port 1 colour')).toMatch(/^1022 .*NAME=VALUE/)
    expect(lab.say('set/port 1')).toBe(INVALID)
    expect(lab.say('set/port 2 mode=transparent')).toBe(ABSENT)
  })
})
